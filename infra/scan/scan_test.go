package main

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryFindingNeedsAReasonAndEveryReasonAFinding(t *testing.T) {
	t.Parallel()
	const why = "a sentence that is long enough to be a reason of somebody"
	types := map[string]map[string]string{"t.json": {"OrdersRole0A1B2C3D": "AWS::IAM::Role", "RouteGETv1operatorlog": "AWS::ApiGatewayV2::Route"}}
	role := finding{Tool: "cdk-nag", Rule: "IAM5[Resource::<Exports0A1B2C3D.Arn>/*]", Template: "t.json", Resource: "OrdersRole0A1B2C3D"}
	route := finding{Tool: "cfn-guard", Rule: "CT.1", Template: "t.json", Resource: "RouteGETv1operatorlog"}
	fits := explanation{rules: []string{"IAM5[Resource::<Exports.Arn>/*]"}, at: []string{"AWS::IAM::Role"}, why: why}
	for name, c := range map[string]struct {
		list     []explanation
		found    []finding
		open     int
		problems []string
	}{
		"nothing at all":                 {},
		"explained by its type":          {list: []explanation{fits}, found: []finding{role}},
		"explained by its id":            {list: []explanation{{rules: fits.rules, at: []string{"*Role"}, why: why}}, found: []finding{role}},
		"explained by nobody":            {found: []finding{role}, open: 1},
		"a star in a rule is no pattern": {list: []explanation{{rules: []string{"*"}, at: []string{"*"}, why: why}}, found: []finding{role}, open: 1, problems: []string{"nothing is found by *", "nothing is found at *"}},
		"another place":                  {list: []explanation{{rules: fits.rules, at: []string{"AWS::S3::Bucket"}, why: why}}, found: []finding{role}, open: 1, problems: []string{"nothing is found by", "nothing is found at AWS::S3::Bucket"}},
		"what it does not explain":       {list: []explanation{{rules: []string{"CT.1"}, at: []string{"Route*"}, but: []string{"Route*operator*"}, why: why}}, found: []finding{route}, open: 1, problems: []string{"found by CT.1", "found at Route*"}},
		"used no more":                   {list: []explanation{fits}, problems: []string{"found by IAM5", "found at AWS::IAM::Role"}},
		"one rule of two used no more":   {list: []explanation{{rules: append([]string{"CT.9"}, fits.rules...), at: fits.at, why: why}}, found: []finding{role}, problems: []string{"found by CT.9"}},
		"no reason":                      {list: []explanation{{rules: fits.rules, at: fits.at, why: "because"}}, found: []finding{role}, problems: []string{"gives no reason"}},
		"too many":                       {list: slices.Repeat([]explanation{{why: why}}, most+1), problems: []string{"mend something"}},
	} {
		v := judge(c.list, c.found, types)
		if len(v.open) != c.open {
			t.Errorf("%s: %d are open, want %d", name, len(v.open), c.open)
		}
		if len(v.problems) != len(c.problems) {
			t.Errorf("%s: problems %q, want %q", name, v.problems, c.problems)
			continue
		}
		for i, p := range c.problems {
			if !strings.Contains(v.problems[i], p) {
				t.Errorf("%s: problem %q, want %q", name, v.problems[i], p)
			}
		}
	}
}

// What each tool wrote, cut to one finding: a change of its form may not read as "nothing found".
func TestWhatToolsSayIsRead(t *testing.T) {
	t.Parallel()
	rules := `"x"` + strings.Repeat(`,"x"`, fewest)
	guard := func(failed string) string {
		return `[{"name":"t.json","status":"FAIL","not_compliant":[` + failed + `],"not_applicable":[` + rules + `],"compliant":["y"]}]`
	}
	for name, c := range map[string]struct {
		read func() ([]finding, error)
		want []finding
		err  string
	}{
		"cdk-nag": {
			read: func() ([]finding, error) {
				return readLines([]byte(`{"tool":"cdk-nag","rule":"S1","template":"t.json","resource":"Bucket","message":"no log"}` + "\n\"end\"\n"))
			},
			want: []finding{{"cdk-nag", "S1", "t.json", "Bucket", "no log"}},
		},
		"cdk-nag broke off": {
			read: func() ([]finding, error) { return readLines([]byte(`{"tool":"cdk-nag"}`)) },
			err:  "did not come to its end",
		},
		"cfn-lint": {
			read: func() ([]finding, error) {
				return readLint([]byte(`[{"Filename":"t.json","Level":"Warning","Message":"said twice","Rule":{"Id":"W3005"},"Location":{"Path":["Resources","Role1","DependsOn",0]}},` +
					`{"Filename":"t.json","Message":"join","Rule":{"Id":"I1022"},"Location":{"Path":["Outputs","Address","Value"]}}]`))
			},
			want: []finding{{"cfn-lint", "W3005", "t.json", "Role1", "said twice"}, {"cfn-lint", "I1022", "t.json", "Outputs.Address", "join"}},
		},
		"cfn-lint fell over": {
			read: func() ([]finding, error) { return readLint([]byte(`Traceback`)) },
			err:  "cfn-lint",
		},
		"cfn-guard": {
			read: func() ([]finding, error) {
				return readGuard([]byte(guard(`{"Rule":{"name":"check","checks":[{"messages":{"custom_message":"\n [CT.S3.PR.2]: Require logging\n [FIX]: do"}},{"from":{"path":"/Resources/B/Properties"}},{"from":{"path":"/Resources/A/Properties"}}]}}`)), []string{"in/t.json"})
			},
			want: []finding{{"cfn-guard", "CT.S3.PR.2", "in/t.json", "A", "Require logging"}, {"cfn-guard", "CT.S3.PR.2", "in/t.json", "B", "Require logging"}},
		},
		"cfn-guard, of no resource": {
			read: func() ([]finding, error) {
				return readGuard([]byte(guard(`{"Rule":{"name":"check"}}`)), []string{"in/t.json"})
			},
			want: []finding{{"cfn-guard", "?", "in/t.json", "", ""}},
		},
		"cfn-guard without its rules": {
			read: func() ([]finding, error) {
				return readGuard([]byte(`[{"name":"t.json","not_compliant":[],"not_applicable":[],"compliant":[]}]`), []string{"in/t.json"})
			},
			err: "only 0 rules looked",
		},
		"cfn-guard left one out": {
			read: func() ([]finding, error) { return readGuard([]byte(guard("")), []string{"in/t.json", "in/u.json"}) },
			err:  "judged 1 templates, want 2",
		},
	} {
		got, err := c.read()
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want %q", name, err, c.err)
			}
			continue
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"Lost", "Lost", true},
		{"Lost", "LostMore", false},
		{"*", "", true},
		{"*DeadLetters", "StepsDeadLetters", true},
		{"*DeadLetters", "StepsDeadLettersToo", false},
		{"Route*v1operator*", "RouteGETv1operatorlog", true},
		{"Route*v1operator*", "RouteGETv1requests", false},
	} {
		if like(c.pattern, c.s) != c.want {
			t.Errorf("%s is like %s: %v", c.s, c.pattern, !c.want)
		}
	}
}

func TestRegionsAreNamedOnce(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(regions) || len(slices.Compact(slices.Clone(regions))) != len(regions) {
		t.Errorf("regions are not in order, or one is there twice: %v", regions)
	}
}

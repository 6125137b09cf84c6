package boot_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/topology"
)

// question is how doctor asks.
var question = []byte(`{"check":"health"}`)

func (l *lambda) health() (h boot.Health) {
	l.t.Helper()
	l.must(question, &h)
	return h
}

// bad returns the checks that failed, but for that of the profile's hook, which nobody
// has made: it stands at a name that nobody can have.
func bad(t *testing.T, h boot.Health) (all []boot.Check) {
	t.Helper()
	for _, c := range h.Checks {
		if c.OK {
			continue
		}
		if c.Name == "source customers_storage" {
			if !strings.Contains(c.Detail, "hooks.platform.example.com") || !strings.Contains(c.Next, secrets+"storage-hook") {
				t.Errorf("the hook is told of as %+v", c)
			}
			continue
		}
		all = append(all, c)
	}
	return all
}

// settled is a cloud in which an installation is open: its first edition was published.
func settled(t *testing.T, dir string) *cloud {
	t.Helper()
	c := openCloud(t)
	start(t, filepath.Join(dir, "notice"), topology.Notice, c.environment(topology.Notice)).must([]byte(`{"job":"editions"}`), nil)
	start(t, filepath.Join(dir, "requests"), topology.Requests, c.environment(topology.Requests)) // it makes the key ring
	return c
}

// Every program as it is deployed says what it reaches, and names what is missing.
func TestHealth(t *testing.T) {
	t.Parallel()
	dir := build(t)
	t.Run("every program tells its own", func(t *testing.T) { everyProgram(t, dir) })
	t.Run("the missing action is named", func(t *testing.T) { missingAction(t, dir) })
	t.Run("a table of the company's is missing", func(t *testing.T) { missingTable(t, dir) })
	t.Run("nothing else answers", func(t *testing.T) { nothingAnswers(t, dir) })
	t.Run("a secret is missing", func(t *testing.T) { missingSecret(t, dir) })
	t.Run("a backlog is seen", func(t *testing.T) { backlog(t, dir) })
}

// The cloud refuses what a function is not granted, so nobody needs a permission for this.
func everyProgram(t *testing.T, dir string) {
	t.Helper()
	c, profile := settled(t, dir), theProfile(t)
	for _, f := range topology.All {
		l := start(t, filepath.Join(dir, f.Name), f, c.environment(f))
		h := l.health()
		if h.OK == f.Sources || len(bad(t, h)) > 0 || h.Function != f.Name || h.Policy == "" || time.Since(h.Now).Abs() > time.Minute {
			t.Errorf("%s tells %+v\n%s", f.Name, h, l.log)
		}
		want := []string{"due-index", "policy", "table audit", "table state"}
		if f.Tables.Keys != topology.None {
			want = append(want, "table keys", "key ring")
		}
		for name, has := range map[string]bool{
			"bucket of packages": f.Exports == topology.ReadWrite, "bucket of policies": f.Editions, "checkpoints": f.Checkpoints != topology.None,
		} {
			if has {
				want = append(want, name)
			}
		}
		if f.HearsApps() {
			for _, app := range profile.Apps {
				want = append(want, "key of the app "+app.ID)
			}
		}
		if f.Sources {
			for _, s := range profile.Sources {
				if s.Kind == policy.KindDynamoDB {
					want = append(want, "source "+s.ID)
				}
			}
		}
		for _, w := range want {
			if !slices.ContainsFunc(h.Checks, func(c boot.Check) bool { return c.Name == w }) {
				t.Errorf("%s does not check %s: %+v", f.Name, w, h.Checks)
			}
		}
		for _, check := range h.Checks {
			for _, personal := range []string{"@", secret} {
				if strings.Contains(check.Detail, personal) {
					t.Errorf("%s tells %q", f.Name, check.Detail)
				}
			}
		}
	}
	if len(c.sent()) > 0 || len(c.hinted()) > 0 {
		t.Error("a question about health has sent something")
	}
}

func theProfile(t *testing.T) *policy.Policy {
	t.Helper()
	file, _ := policy.Profile(profile)
	p, err := policy.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func missingAction(t *testing.T, dir string) {
	t.Helper()
	c := settled(t, dir)
	var tried policy.Source
	for _, s := range theProfile(t).Sources {
		if s.Kind == policy.KindDynamoDB && s.IAMRole != "" {
			tried = s
		}
	}
	if tried.ID == "" {
		t.Fatal("the profile has no table behind a role")
	}
	for name, tt := range map[string]struct {
		f                   topology.Function
		deny                string
		check, detail, next string
	}{
		"a source's role may not be assumed": {
			topology.Fulfil, "fulfil sts:AssumeRole", "source " + tried.ID, "sts:AssumeRole on arn:aws:sts:eu-west-3:111122223333:thing was answered with AccessDenied (because no identity-based policy allows", "SourceRoleArns",
		},
		"a source's role may not read": {
			topology.Retention, role + " dynamodb:Query", "source " + tried.ID, "dynamodb:Query on arn:", "allow dynamodb:Query to the role " + tried.IAMRole,
		},
		"a table of ours cannot be read": {
			topology.Deadlines, "deadlines dynamodb:GetItem", "table audit", "dynamodb:GetItem on arn:", "allow dynamodb:GetItem to the role of the function deadlines",
		},
		"the key of an app cannot be read": {
			topology.Consent, "consent secretsmanager:GetSecretValue", "key of the app console", "secretsmanager:GetSecretValue on arn:", "allow secretsmanager:GetSecretValue to the role of the function consent",
		},
	} {
		l := start(t, filepath.Join(dir, tt.f.Name), tt.f, c.environment(tt.f))
		c.denies(tt.deny)
		h := l.health()
		c.denies("")
		i := slices.IndexFunc(h.Checks, func(c boot.Check) bool { return c.Name == tt.check && !c.OK })
		if h.OK || i < 0 {
			t.Errorf("%s: nobody noticed: %+v", name, h)
			continue
		}
		if got := h.Checks[i]; !strings.Contains(got.Detail, tt.detail) || !strings.Contains(got.Next, tt.next) {
			t.Errorf("%s: %+v", name, got)
		}
		if tt.f.Name == "consent" {
			continue // it reads keys once a minute at most
		}
		if left := bad(t, l.health()); len(left) > 0 {
			t.Errorf("%s: it stays so: %+v", name, left)
		}
	}
}

// What the policy names and nobody made is told as such.
func missingTable(t *testing.T, dir string) {
	t.Helper()
	c := settled(t, dir)
	l := start(t, filepath.Join(dir, "fulfil"), topology.Fulfil, c.environment(topology.Fulfil))
	if _, err := c.client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("members")}); err != nil {
		t.Fatal(err)
	}
	h := l.health()
	if failed := bad(t, h); h.OK || len(failed) != 1 || !strings.Contains(failed[0].Detail, "ResourceNotFoundException") || !strings.Contains(failed[0].Next, "compare the names") {
		t.Errorf("%+v", h)
	}
}

// A policy may name a hook whose secret nobody has made yet. The function starts all the
// same, whatever else it has is well, and the secret is found without another start.
func missingSecret(t *testing.T, dir string) {
	t.Helper()
	c := settled(t, dir)
	for _, f := range []topology.Function{topology.Fulfil, topology.Retention} {
		c.denies(f.Name + " secretsmanager:GetSecretValue")
		l := start(t, filepath.Join(dir, f.Name), f, c.environment(f))
		h := l.health()
		c.denies("")
		for _, check := range h.Checks {
			if hook := check.Name == "source customers_storage"; check.OK == hook || hook && !strings.Contains(check.Detail, "secretsmanager:GetSecretValue on arn:") {
				t.Errorf("%s: %+v", f.Name, check)
			}
		}
		if !strings.Contains(l.log.String(), `"level":"ERROR"`) || !strings.Contains(l.log.String(), secrets+"storage-hook") {
			t.Errorf("%s: nobody is told: %s", f.Name, l.log)
		}
		if left := bad(t, l.health()); len(left) > 0 { // that of the hook says by now that it does not answer
			t.Errorf("%s: it stays so: %+v", f.Name, left)
		}
	}
}

// A store that is down is told of within seconds, and the question itself does not fail.
func nothingAnswers(t *testing.T, dir string) {
	t.Helper()
	c := settled(t, dir)
	l := start(t, filepath.Join(dir, "deadlines"), topology.Deadlines, c.environment(topology.Deadlines))
	c.refuseTables(true)
	if h := l.health(); h.OK || len(bad(t, h)) < 3 {
		t.Errorf("%+v", h)
	}
}

// What has been due for long means that the schedules do not run.
func backlog(t *testing.T, dir string) {
	t.Helper()
	c := settled(t, dir)
	l := start(t, filepath.Join(dir, "deadlines"), topology.Deadlines, c.environment(topology.Deadlines))
	c.file(t, time.Now().Add(-50*time.Hour))
	h := l.health()
	i := slices.IndexFunc(h.Checks, func(c boot.Check) bool { return c.Name == "due-index" })
	if i < 0 || h.Checks[i].OK || !strings.Contains(h.Checks[i].Detail, "something has been due since ") {
		t.Errorf("%+v", h.Checks)
	}
}

// file leaves something in the due-index, as a function may that writes the State table.
func (c *cloud) file(t *testing.T, due time.Time) {
	t.Helper()
	cfg := aws.Config{Region: region, BaseEndpoint: &c.URL, Credentials: credentials.NewStaticCredentialsProvider("relay", secretKey, "session-of-relay")}
	item := table.Item{Key: table.Key{Partition: "nobody's", Sort: "-"}, Schema: 1, Body: []byte("{}"), Due: due}
	if err := dynamo.New(cfg, c.tables, time.Now).Commit(t.Context(), table.NewID(), table.Put(table.State, item, table.New)); err != nil {
		t.Fatal(err)
	}
}

package bundle

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"rightsdesk/infra/release/formation"
)

// Link opens the console of a region with the template in it.
type Link struct {
	Region   string            `json:"region"`
	Launch   string            `json:"launch"`
	Template string            `json:"template"`
	Given    map[string]string `json:"given,omitempty"`  // parameters that the link fills in
	Wanted   []string          `json:"wanted,omitempty"` // what the operator has to give there besides
}

// answers are what a link says by itself where a rule of the template would refuse the
// defaults. None of it is personal or secret.
var answers = map[string]struct{ parameter, value string }{
	"MailHere": {"MailMode", "off"},
}

// noCode is the rule that a region breaks for which the publisher has no bucket.
const noCode = "CodeHere"

// Links tries the template's own rules in every region and returns a link for each in which
// it can be launched, and the names of the others.
func Links(t *formation.Template, r Release) (links []Link, others []string, err error) {
	for _, region := range r.Regions {
		link := Link{Region: region, Given: map[string]string{}}
		broken, err := brokenIn(t, region, link.Given)
		if err != nil {
			return nil, nil, err
		}
		for rule := range broken {
			if a, ok := answers[rule]; ok {
				link.Given[a.parameter] = a.value
			}
		}
		if broken, err = brokenIn(t, region, link.Given); err != nil {
			return nil, nil, err
		}
		if _, ok := broken[noCode]; ok {
			others = append(others, region)
			continue
		}
		link.Wanted = slices.Sorted(maps.Values(broken))
		if link.Template, err = fileIn(region, r, Template); err != nil {
			return nil, nil, err
		}
		q := url.Values{"templateURL": {link.Template}, "stackName": {"Rightsdesk"}}
		for name, value := range link.Given {
			q.Set("param_"+name, value)
		}
		link.Launch = fmt.Sprintf("https://console.aws.amazon.com/cloudformation/home?region=%s#/stacks/create/review?%s", region, q.Encode())
		links = append(links, link)
	}
	return links, others, nil
}

func brokenIn(t *formation.Template, region string, given map[string]string) (map[string]string, error) {
	values := map[string]string{"AWS::Region": region}
	maps.Copy(values, given)
	g, err := t.Give(values)
	if err != nil {
		return nil, err
	}
	return g.Broken()
}

// fileIn is where a file of a release lies in a region.
func fileIn(region string, r Release, name string) (string, error) {
	pattern, err := BucketOf(r.Bucket)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("https://%s.s3.%s.amazonaws.com/%s%s", strings.ReplaceAll(pattern, "${AWS::Region}", region), region, PrefixOf(r.Version), name), nil
}

// linksOf makes the two files with links, for people and for programs.
func linksOf(r Release) (page, data []byte, err error) {
	t, err := formation.Parse(r.Templates[Template])
	if err != nil {
		return nil, nil, err
	}
	links, others, err := Links(t, r)
	if err != nil {
		return nil, nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Install Rightsdesk %s\n\nChoose your region, sign in, give the mail address of whoever runs the installation, create the stack.\n\n", r.Version)
	b.WriteString("| region | | template | what is different there |\n|---|---|---|---|\n")
	for _, l := range links {
		notes := l.Wanted
		for _, name := range slices.Sorted(maps.Keys(l.Given)) {
			notes = append(notes, "The link sets `"+name+"` to "+l.Given[name]+".")
		}
		if len(notes) == 0 {
			notes = []string{"-"}
		}
		fmt.Fprintf(&b, "| %s | [launch](%s) | [%s](%s) | %s |\n", l.Region, l.Launch, Template, l.Template, strings.Join(notes, " "))
	}
	if len(others) > 0 {
		fmt.Fprintf(&b, "\nIn %s copy the files of the release into a bucket of your own, under the same keys, and give its name as `CodeBucket`.\n", strings.Join(others, ", "))
	}
	if data, err = Plain(links); err != nil {
		return nil, nil, err
	}
	return []byte(b.String()), data, nil
}

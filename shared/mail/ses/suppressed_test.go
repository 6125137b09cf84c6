package ses_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/mail/ses"
)

var (
	from = time.Date(2026, time.March, 4, 9, 0, 0, 0, time.UTC)
	to   = from.Add(25 * time.Hour)
)

// listed is one address as SES writes it.
func listed(address, reason string) string {
	return fmt.Sprintf(`{"EmailAddress":%q,"Reason":%q,"LastUpdateTime":1772700000.5}`, address, reason)
}

// read reads the list of a service whose pages are given, by their tokens. It returns
// what was handed over, as words, and the calls.
func read(t *testing.T, pages map[string]string, each func(mail.Suppressed) error) (got []string, calls []url.Values, err error) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method+" "+r.URL.Path != "GET /v2/email/suppression/addresses" || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
			t.Errorf("the call is %s %s", r.Method, r.URL.Path)
		}
		q := r.URL.Query()
		calls = append(calls, q)
		page, ok := pages[q.Get("NextToken")]
		if !ok {
			refused(400, "BadRequestException", "no page for ada@example.org")(w)
			return
		}
		_, _ = io.WriteString(w, page)
	}))
	defer s.Close()
	list := ses.SuppressionsOf(sesv2.New(sesv2.Options{
		Region: "eu-west-3", BaseEndpoint: aws.String(s.URL), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}))
	err = list.Between(t.Context(), from, to, func(x mail.Suppressed) error {
		got = append(got, fmt.Sprintf("%s %v %s", x.Address.Reveal(), x.Complained, x.At.UTC().Format(time.RFC3339Nano)))
		if each == nil {
			return nil
		}
		return each(x)
	})
	return got, calls, err
}

func TestTheListIsReadPageByPage(t *testing.T) {
	t.Parallel()
	got, calls, err := read(t, map[string]string{
		"":   `{"SuppressedDestinationSummaries":[` + listed("Ada@Example.org", "BOUNCE") + `,` + listed("no address", "BOUNCE") + `],"NextToken":"t1"}`,
		"t1": `{"SuppressedDestinationSummaries":[],"NextToken":"t2"}`, // a page may be empty and not the last
		"t2": `{"SuppressedDestinationSummaries":[` + listed("grace@example.net", "COMPLAINT") + `]}`,
	}, nil)
	want := "ada@example.org false 2026-03-05T08:40:00.5Z, grace@example.net true 2026-03-05T08:40:00.5Z"
	if strings.Join(got, ", ") != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if len(calls) != 3 {
		t.Fatalf("%d calls", len(calls))
	}
	for _, q := range calls {
		q.Del("NextToken")
		if got, _ := json.Marshal(q); string(got) != `{"EndDate":["2026-03-05T10:00:00Z"],"PageSize":["100"],"Reason":["BOUNCE","COMPLAINT"],"StartDate":["2026-03-04T09:00:00Z"]}` {
			t.Errorf("the call asks for %s", got)
		}
	}
}

func TestAListThatCannotBeRead(t *testing.T) {
	t.Parallel()
	mine := errors.New("my own")
	one := `{"SuppressedDestinationSummaries":[` + listed("grace@example.net", "COMPLAINT") + `],"NextToken":"t1"}`
	for name, c := range map[string]struct {
		first string
		each  func(mail.Suppressed) error
		want  string
		seen  int
	}{
		"the second page is refused": {one, nil, "SES answered BadRequestException", 1},
		"no JSON":                    {`{"Suppressed`, nil, "no answer from SES", 0},
		"no time":                    {`{"SuppressedDestinationSummaries":[{"EmailAddress":"ada@example.org","Reason":"BOUNCE"}]}`, nil, "has no time", 0},
		"whoever reads gives up":     {one, func(mail.Suppressed) error { return mine }, "my own", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := read(t, map[string]string{"": c.first}, c.each)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(got) != c.seen || c.each != nil && !errors.Is(err, mine) {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "ada") {
				t.Errorf("the error names the address: %v", err)
			}
		})
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/law"
)

// openCase is a line of GET /v1/operator/law/cases.
type openCase struct {
	ID   string `json:"id"`
	Case struct {
		Regimes      []string   `json:"regimes"`
		Residence    string     `json:"residence"`
		Right        string     `json:"right"`
		Received     time.Time  `json:"received_at"`
		Zone         string     `json:"time_zone"`
		Place        string     `json:"place"`
		PromisedDays int        `json:"promised_days"`
		Stops        []law.Stop `json:"stops"`
		Extended     bool       `json:"extended"`
		Now          time.Time  `json:"now"`
	} `json:"case"`
	Law           string    `json:"law"`
	RespondBy     time.Time `json:"respond_by"`
	SafeBy        time.Time `json:"safe_by"`
	AcknowledgeBy time.Time `json:"acknowledge_by"`
}

// lawCommand is the command `law diff`: it asks an installation for its open
// requests and counts their dates anew, with the law packs that this command was
// built with. Run from a checkout of the next version it shows what that version
// would change before it is installed; it changes nothing itself.
//
// What it found is returned also beside an error: of several requests some may
// have got their dates.
func lawCommand(ctx context.Context, args []string) (string, error) {
	flags := flag.NewFlagSet("law diff", flag.ContinueOnError)
	at := flags.String("url", "http://127.0.0.1:8080", "where the installation answers")
	adopt := flags.Bool("adopt", false, "have the installation give these requests the dates that its own packs count")
	if len(args) == 0 || args[0] != "diff" {
		return "", errors.New("usage: go run ./infra/local law diff [-url URL] [-adopt], with the operators' key in RIGHTSDESK_OPERATOR_KEY")
	}
	if err := flags.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return "", nil
		}
		return "", err
	}
	there := installation{URL: strings.TrimSuffix(*at, "/"), key: os.Getenv("RIGHTSDESK_OPERATOR_KEY")}
	if there.key == "" {
		return "", errors.New("put the operators' key into RIGHTSDESK_OPERATOR_KEY; make run prints it")
	}
	cases, err := there.cases(ctx)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	var changed []string
	for _, c := range cases {
		d, err := c.count()
		if err != nil {
			return "", fmt.Errorf("count %s: %w", c.ID, err)
		}
		if c.Law == d.Law && c.RespondBy.Equal(d.RespondBy) && c.SafeBy.Equal(d.SafeBy) && c.AcknowledgeBy.Equal(d.AcknowledgeBy) {
			continue
		}
		changed = append(changed, c.ID)
		fmt.Fprintf(&out, "%s, %s of %s: law %s, respond by %s, safe by %s, acknowledge by %s\n", c.ID, c.Case.Right, c.Case.Received.Format(time.DateOnly),
			moved(c.Law, d.Law), moved(date(c.RespondBy), date(d.RespondBy)), moved(date(c.SafeBy), date(d.SafeBy)), moved(date(c.AcknowledgeBy), date(d.AcknowledgeBy)))
	}
	switch {
	case len(changed) == 0:
		fmt.Fprintf(&out, "None of the %d open requests would get other dates.\n", len(cases))
		return out.String(), nil
	case !*adopt:
		fmt.Fprintf(&out, "%d of %d open requests would get other dates.\n", len(changed), len(cases))
		out.WriteString("Nothing was changed. Once this version is installed, the same command with -adopt gives them these dates.\n")
		return out.String(), nil
	}
	for _, id := range changed {
		if e := there.call(ctx, http.MethodPost, "/v1/operator/requests/"+url.PathEscape(id)+"/recount", nil); e != nil {
			err = errors.Join(err, fmt.Errorf("%s keeps its dates: %w", id, e)) // others need not wait for it
			continue
		}
		out.WriteString(id + " has the new dates.\n")
	}
	return out.String(), err
}

func moved(from, to string) string {
	if from == to {
		return from
	}
	return from + " -> " + to
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}

// count counts the case with the packs of this command.
func (c openCase) count() (law.Deadline, error) {
	zone, err := time.LoadLocation(c.Case.Zone)
	if err != nil {
		return law.Deadline{}, fmt.Errorf("the time zone of the controller: %w", err)
	}
	d, err := law.Count(law.Case{
		Regimes: c.Case.Regimes, Residence: c.Case.Residence, Right: c.Case.Right, Received: c.Case.Received, Zone: zone, Place: c.Case.Place,
		PromisedDays: c.Case.PromisedDays, Stops: slices.Clone(c.Case.Stops), Extended: c.Case.Extended, Now: c.Case.Now,
	})
	if err != nil {
		return law.Deadline{}, fmt.Errorf("ask the law: %w", err)
	}
	return d, nil
}

// installation is one, as its operators reach it.
type installation struct {
	URL string
	key string
}

func (d installation) cases(ctx context.Context) ([]openCase, error) {
	var all []openCase
	for cursor := ""; ; {
		var page struct {
			Cases  []openCase `json:"cases"`
			Cursor string     `json:"cursor"`
		}
		if err := d.call(ctx, http.MethodGet, "/v1/operator/law/cases?cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Cases...)
		if cursor = page.Cursor; cursor == "" {
			return all, nil
		}
	}
}

func (d installation) call(ctx context.Context, method, path string, into any) error {
	var body []byte
	if method == http.MethodPost {
		body = []byte("{}")
	}
	return d.send(ctx, method, path, body, into)
}

// refusal is what an installation answered that did not do what it was asked.
type refusal struct {
	Status int    `json:"-"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
	After time.Duration `json:"-"` // to be waited before another try
}

func (r *refusal) Error() string {
	text := r.Code + ": " + r.Detail
	for _, e := range r.Errors {
		text += " " + e.Pointer + " " + e.Detail
	}
	return text
}

// send makes a call and decodes the answer.
func (d installation) send(ctx context.Context, method, path string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, d.URL+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the address %s: %w", d.URL, err)
	}
	r.Header.Set("Authorization", "Bearer "+d.key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask the installation: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		no := &refusal{Status: resp.StatusCode}
		if json.Unmarshal(b, no) != nil || no.Code == "" {
			return fmt.Errorf("%s %s answered %s", method, path, resp.Status)
		}
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // 0: it does not say
		no.After = time.Duration(seconds) * time.Second
		return no
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

package httpapi

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/page"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
)

// entered is what a person sent with a form of the page that follows a request,
// and what is wrong with it.
type entered struct {
	Reply, Appeal personal.Text
	Problems      []page.FieldProblem
}

// wrong returns the problems with a form's fields.
func (e entered) wrong(fields ...string) []page.FieldProblem {
	return slices.DeleteFunc(slices.Clone(e.Problems), func(p page.FieldProblem) bool { return !slices.Contains(fields, p.Field) })
}

// followPage shows where a request stands, with what was entered where it has to
// be mended.
func (env Env) followPage(w http.ResponseWriter, r *http.Request, t request.Token, text string, e entered) error {
	v, err := env.Requests.Follow(r.Context(), t.ID, text)
	if err != nil {
		return err
	}
	req := v.Request
	speak(r, req.Locale)
	f := page.Follow{
		ID: string(req.ID), Right: string(req.Right), Status: string(req.Status), Received: req.Received, Closed: req.Closed,
		RespondBy: req.RespondBy, SafeBy: req.SafeBy, WhyIn: "en", Reason: v.Reason, Article: v.Article,
		About: string(req.About), Decision: string(req.Outcome), Explanation: v.Explanation, Appealed: string(v.Appeal),
		Systems: env.Requests.Outcome(req, env.frame(r).Language), Ignored: v.Ignored, Authority: v.Authority,
	}
	for _, x := range v.Exclusions {
		f.NotCovered = append(f.NotCovered, policy.ExclusionView{
			Text: x.Text.In(req.Locale), Redirect: policy.LinkView{Text: x.Redirect.Text.In(req.Locale), URL: x.Redirect.URL},
		})
	}
	if req.Status == request.InProgress && env.Policy.Rights[req.Right].Cooling > 0 {
		f.Starts = req.Start
	}
	if err := env.followDates(&f, v); err != nil {
		return err
	}
	env.followLetters(&f, v, text, e)
	for _, x := range v.Timeline {
		one := page.Entry{At: x.At, Action: x.Action, By: x.Actor}
		for _, fact := range x.Facts {
			if x.Action == string(request.Remind) && fact.Name == "of" && fact.Value != "verification" && fact.Value != "question" {
				one.Action = "remind_us" // the person got no letter
			}
			if c, ok := env.Policy.Category(fact.Value); ok && fact.Name == "category" {
				one.About = c.Label.In(env.frame(r).Language)
			}
		}
		f.Timeline = append(f.Timeline, one)
	}
	if v.Downloadable || v.StepUp {
		f.Actions = append(f.Actions, page.Action{Verb: page.Deliver, Path: "/r/" + text, Key: newKey(), Until: req.Package.Until})
	}
	if req.Can(request.Revoke) {
		f.Actions = append(f.Actions, page.Action{Verb: page.Revoke, Path: "/r/" + text, Key: newKey()})
	}
	status := http.StatusOK
	if len(e.Problems) > 0 {
		status = http.StatusBadRequest
	}
	return env.render(w, r, status, f)
}

// followDates fills in the clocks, and what moved them.
func (env Env) followDates(f *page.Follow, v request.View) error {
	clocks, err := env.Requests.Clocks(v.Request)
	if err != nil {
		return err
	}
	for _, c := range deadlineOf(v.Request, clocks).Clocks {
		moot := v.Request.Status.Final() && v.Request.Extension == nil && c.Clock == string(law.ExtendNotice)
		if moot || c.Clock == string(law.Extended) && (v.Request.Status.Final() || v.Request.Extension != nil) {
			continue // there was, or will be, no putting off; or the answer's own clock shows the date
		}
		one := page.Deadline{Name: c.Clock, Date: c.Legal}
		if c.Done != nil {
			one.Done = *c.Done
		}
		for _, s := range c.Steps {
			step := page.Step{Text: s.Text, Article: s.Article}
			if s.Date != nil {
				step.Date = *s.Date
			}
			one.Steps = append(one.Steps, step)
		}
		f.Deadlines = append(f.Deadlines, one)
	}
	for _, s := range v.Still {
		f.Still = append(f.Still, page.Still{Since: s.Asked, Cause: string(s.Cause)})
	}
	if x := v.Request.Extension; x != nil {
		f.Extended = page.Extension{From: x.Before, To: v.Request.RespondBy, Text: v.Ground.Text, Article: v.Ground.Article}
	}
	return nil
}

// followLetters fills in what was written, and the forms to write more.
func (env Env) followLetters(f *page.Follow, v request.View, token string, e entered) {
	req, path := v.Request, "/r/"+token
	for _, m := range v.Messages {
		f.Letters = append(f.Letters, letterOf(m))
	}
	if v.Question != nil {
		q := letterOf(*v.Question)
		f.Question = &q
	}
	if req.Can(request.Answer) {
		f.Reply = &page.Reply{
			Path: path, Key: newKey(), Answers: v.Question != nil, Text: e.Reply, Problems: e.wrong("reply", "files"),
			Files: request.MaxFiles, Megabytes: request.MaxAttached >> 20, Days: int(env.Policy.Verification.AttachmentPeriod.Hours() / 24),
		}
	}
	if v.Appealable {
		f.Appeal = &page.Appeal{Path: path, Key: newKey(), Until: v.AppealUntil, Text: e.Appeal, Problems: e.wrong("appeal")}
	}
	if req.Right != policy.Complaint && req.Right != policy.Appeal && req.Status != request.Expired {
		f.Complain = "/?about=" + string(req.ID)
	}
}

func letterOf(m request.Message) page.Letter {
	l := page.Letter{At: m.At, By: m.By, Text: m.Text, Proof: string(m.Proof)}
	for _, a := range m.Files {
		l.Files = append(l.Files, page.Attached{Name: a.Name, Size: a.Size, Gone: a.Gone})
	}
	return l
}

// sessionPosted does what the follow page offers.
func (env Env) sessionPosted(w http.ResponseWriter, r *http.Request, t request.Token, text string, c request.Call) error {
	switch r.PostFormValue("do") {
	case "reply":
		return env.replyPosted(w, r, t, text, c)
	case "appeal":
		return env.appealPosted(w, r, t, text, c)
	case string(page.Revoke):
		if _, _, err := env.Requests.Authorize(r.Context(), t.ID, text); err != nil {
			return err
		}
		if _, err := env.Requests.Revoke(r.Context(), t.ID, c); err != nil {
			return err
		}
		return env.render(w, r, http.StatusOK, page.Done{Verb: page.Revoke, ID: string(t.ID), Follow: "/r/" + text})
	case string(page.Deliver):
		d, err := env.Requests.Deliver(r.Context(), t.ID, text, c)
		if errors.Is(err, request.ErrStepUp) {
			if err := env.Requests.Resend(r.Context(), t.ID); err != nil {
				return err
			}
			http.Redirect(w, r, "/requests/"+string(t.ID)+"?for="+string(page.Deliver)+"&lang="+env.frame(r).Language, http.StatusSeeOther)
			return nil
		}
		if err != nil {
			return err
		}
		http.Redirect(w, r, d.URL, http.StatusSeeOther)
		return nil
	}
	return fault.New(fault.Invalid, "invalid_form", "The form could not be read; go back and press its button again.")
}

// replyPosted takes in what the person wrote, with files.
func (env Env) replyPosted(w http.ResponseWriter, r *http.Request, t request.Token, text string, c request.Call) error {
	a := request.Reply{Text: personal.MakeText(r.PostFormValue("text"))}
	files, err := filesOf(r)
	if err != nil {
		return err
	}
	for _, f := range files {
		a.Files = append(a.Files, f)
		c.Body += fmt.Sprintf("&%x", sha256.Sum256(f.Content))
	}
	_, err = env.Requests.Reply(r.Context(), t.ID, text, a, c)
	if bad := fieldsOf(err, "reply", map[string]string{"/files": "files"}); len(bad) > 0 {
		return env.followPage(w, r, t, text, entered{Reply: a.Text, Problems: bad})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/r/"+text+"?lang="+env.frame(r).Language+"#messages", http.StatusSeeOther) //nolint:gosec // the token was parsed: it is ours
	return nil
}

// filesOf returns the files that came with a form.
func filesOf(r *http.Request) (list []request.File, err error) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	for _, h := range r.MultipartForm.File["files"] {
		in, err := h.Open()
		if err != nil {
			return nil, fmt.Errorf("open a file of a form: %w", err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("read a file of a form: %w", err)
		}
		list = append(list, request.File{Name: personal.MakeText(h.Filename), Content: content})
	}
	return list, nil
}

// appealPosted opens an appeal and leads to its own page.
func (env Env) appealPosted(w http.ResponseWriter, r *http.Request, t request.Token, text string, c request.Call) error {
	why := r.PostFormValue("text")
	_, p, err := env.Requests.Appeal(r.Context(), t.ID, text, why, c)
	if bad := fieldsOf(err, "appeal", nil); len(bad) > 0 {
		return env.followPage(w, r, t, text, entered{Appeal: personal.MakeText(why), Problems: bad})
	}
	if err != nil {
		return err
	}
	return env.toFollow(w, r, p)
}

package httpapi

import (
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/request"
)

// message is one letter between the person and an operator.
type message struct {
	N     int       `json:"n"`
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Cause string    `json:"cause,omitempty"` // of a question that is waited for
	Proof string    `json:"proof,omitempty"` // that it asks for
	Text  string    `json:"text"`
	Files []file    `json:"files"`
}

// file is something that came with a message. It is named by its place in the
// list, counted from 1.
type file struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int    `json:"size"`
	Gone bool   `json:"gone"` // its period is over, it was erased
}

func messagesOf(list []request.Message) map[string]any {
	out := []message{}
	for _, m := range list {
		one := message{
			N: m.N, At: m.At, By: kindOf(m.By), Cause: string(m.Cause), Proof: string(m.Proof), Text: m.Text.Reveal(), Files: []file{},
		}
		for _, f := range m.Files {
			one.Files = append(one.Files, file{f.Name.Reveal(), f.Type, f.Size, f.Gone})
		}
		out = append(out, one)
	}
	return map[string]any{"messages": out}
}

// kindOf is what an actor is: person, operator...
func kindOf(actor string) string {
	kind, _, _ := strings.Cut(actor, ":")
	return kind
}

func (env Env) messages(w http.ResponseWriter, r *http.Request) error {
	list, err := env.Requests.Messages(r.Context(), id(r), Bearer(r))
	if err != nil {
		return err
	}
	return ok(w, messagesOf(list))
}

func (env Env) reply(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Text  string `json:"text"`
		Files []struct {
			Name    string `json:"name"`
			Content string `json:"content"`
		} `json:"files"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	a := request.Reply{Text: personal.MakeText(b.Text)}
	for i, f := range b.Files {
		content, err := base64.StdEncoding.DecodeString(f.Content)
		if err != nil {
			return fault.Input(fault.Field{Pointer: fmt.Sprintf("/files/%d/content", i), Text: "must be the bytes of the file in base64 (RFC 4648, section 4)"})
		}
		a.Files = append(a.Files, request.File{Name: personal.MakeText(f.Name), Content: content})
	}
	status, err := env.Requests.Reply(r.Context(), id(r), Bearer(r), a, c)
	return changed(w, r, status, err)
}

// appeal opens an appeal, with a token to follow it: the session's proof of the
// address counts for it as well.
func (env Env) appeal(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Text string `json:"text"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	rec, p, err := env.Requests.Appeal(r.Context(), id(r), Bearer(r), b.Text, c)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusAccepted, "application/json", followable{receiptOf(rec), p.Token, p.Until})
	return nil
}

func (env Env) operatorMessages(w http.ResponseWriter, r *http.Request) error {
	list, err := env.Requests.MessagesFor(r.Context(), who(r), id(r))
	if err != nil {
		return err
	}
	return ok(w, messagesOf(list))
}

func (env Env) operatorAsk(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Text  string `json:"text"`
		Cause string `json:"cause"`
		Proof string `json:"proof"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	q := request.Question{Text: personal.MakeText(b.Text), Cause: law.Cause(b.Cause), Proof: law.Proof(b.Proof)}
	status, err := env.Requests.Ask(r.Context(), who(r), id(r), q, c)
	return changed(w, r, status, err)
}

// operatorFile hands out what a person attached, as bytes to be saved: a browser
// shows none of it as a page of ours.
func (env Env) operatorFile(w http.ResponseWriter, r *http.Request) error {
	message, err := strconv.Atoi(r.PathValue("message"))
	if err != nil {
		return request.ErrNotFound.Because(err)
	}
	n, err := strconv.Atoi(r.PathValue("file"))
	if err != nil {
		return request.ErrNotFound.Because(err)
	}
	f, err := env.Requests.Attachment(r.Context(), who(r), id(r), message, n)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", f.Type)
	w.Header().Set("Content-Length", strconv.Itoa(len(f.Content)))
	w.Header().Set("Content-Disposition", attachment(f.Name.Reveal()))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write(f.Content) // the client went away
	return nil
}

// attachment is the header that has a browser save a file. The name is the
// person's: it is one line, and no path.
func attachment(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.TrimLeft(words.Line(name), ". "))
	if h := mime.FormatMediaType("attachment", map[string]string{"filename": name}); name != "" && h != "" {
		return h
	}
	return "attachment"
}

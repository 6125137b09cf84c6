package httpapi

import (
	"net/http"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page"
	"rightsdesk/shared/policy"
)

// mailed refuses what needs a mailed code where nobody is written to.
func (env Env) mailed() error {
	if env.NoMail {
		return mail.ErrOff
	}
	return nil
}

// takes refuses a request that would wait for a code for ever. What waits for no proof,
// such as an opt-out, is taken from everybody all the same: the law wants no proof of it.
func (env Env) takes(right policy.Right) error {
	if right.Unverified() {
		return nil
	}
	return env.mailed()
}

// named adds to a refusal where somebody can turn instead.
func (env Env) named(f *fault.Error) *fault.Error {
	if f.Code != mail.ErrOff.Code {
		return f
	}
	contact := env.Policy.Contact
	where := contact.Email
	if where == "" {
		where = contact.Page
	}
	if where == "" {
		return f
	}
	return f.Saying("This installation sends no mail, so nobody can show here who they are. Ask in the company's app, signed in, or turn to " + where + ".")
}

// elsewhere is the page in the place of a form that would mail something.
func (env Env) elsewhere(w http.ResponseWriter, r *http.Request) error {
	return env.render(w, r, http.StatusOK, page.Problem{Kind: mail.ErrOff.Kind, Code: mail.ErrOff.Code})
}

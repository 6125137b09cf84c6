// Package routes lets a function answer API Gateway. A function without it does
// not carry templates and handlers. Mains import it.
package routes

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/certificate"
	"rightsdesk/shared/httpapi"
	"rightsdesk/shared/lambdahttp"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry has routes. It stands after the
// parts that make links for downloads, because pages must allow to be led there, and
// that read the keys of apps.
var Part = boot.Part{
	Name:   "routes",
	Grants: func(f topology.Function) bool { return len(f.Routes) > 0 },
	Fill: func(ctx context.Context, a *boot.Assembly) error {
		if a.Function.Exports != topology.None && a.Requests.Downloads == nil {
			return errors.New("it stands before the part that makes links for downloads")
		}
		if a.Function.HearsApps() && a.AppKeys == nil {
			return errors.New("it stands before the part that reads the keys of apps")
		}
		a.Requests.NoMail = a.Setting(topology.MailMode) == topology.MailOff
		a.Consents.NoMail = a.Requests.NoMail
		env := httpapi.Env{
			NoMail:   a.Consents.NoMail,
			Requests: a.Requests, Consents: a.Consents, Closures: a.Closures, Erasure: a.Erasure, Holds: a.Holds, Intake: a.Intake,
			Lifecycle: a.Lifecycle, Restore: a.Restore, Retention: a.Retention, Policy: a.Policy, Log: a.Log, Operator: claims{a.Setting(topology.RoleClaim), a.Setting(topology.MFAClaim)}.operator, Keys: a.AppKeys,
			Editions: a.Editions, Shut: a.Shut,
			Receipts:     &receipt.Maker{Policy: a.Policy, Ring: a.Requests.Keys.Ring, BaseURL: a.BaseURL, Now: a.Now},
			Certificates: &certificate.Maker{Policy: a.Policy, Ring: a.Requests.Keys.Ring, BaseURL: a.BaseURL, Now: a.Now},
		}
		if s, ok := a.Requests.Downloads.(interface{ Origin() string }); ok {
			env.Downloads = []string{s.Origin()}
		}
		var err error
		env.Before = lambdahttp.Before
		if env.Edge, err = edgeOf(ctx, a); err != nil {
			return err
		}
		mux, err := httpapi.Mux(env, a.Function, httpapi.Sets(env)[a.Function.Name])
		if err != nil {
			return err
		}
		a.HTTP = lambdahttp.Handler(mux)
		return nil
	},
}

// claims are the names of what a token says about an operator.
type claims struct {
	roles string
	mfa   string // topology.NoValue: whoever signs tokens always demands a second factor
}

// operator is who the gateway's authorizer let in. Their id goes into names of chains,
// of which each is a line in what is sealed.
func (c claims) operator(r *http.Request) (operator.Identity, bool) {
	said, ok := lambdahttp.Claims(r.Context())
	if !ok || said["sub"] == "" || strings.ContainsFunc(said["sub"], unicode.IsControl) {
		return operator.Identity{}, false
	}
	who := operator.Identity{ID: said["sub"], MFA: c.mfa == topology.NoValue || factors(said[c.mfa])}
	for _, role := range list(said[c.roles]) {
		who.Roles = append(who.Roles, operator.Role(role))
	}
	return who, true
}

// factors reports whether a claim says that a second factor was used: as amr lists it
// (RFC 8176), or by a plain true.
func factors(claim string) bool {
	return claim == "true" || slices.Contains(list(claim), "mfa")
}

// list reads a claim of several values as the gateway writes it: [a b].
func list(claim string) []string {
	return strings.FieldsFunc(claim, func(c rune) bool { return strings.ContainsRune(" ,[]", c) })
}

package policy

import (
	"cmp"
	"slices"
)

// Published returns what everybody may see, in the language, or in another one
// where the policy does not have it.
func (p *Policy) Published(language string) Publication {
	if !slices.Contains(p.Document.Languages, language) {
		language = p.Document.Languages[0]
	}
	in := view{p, language}
	return Publication{
		Version:          p.Version,
		Language:         language,
		Document:         in.document(),
		Controller:       ControllerView{p.Controller.LegalName, p.Controller.TradeName, p.Controller.Form, p.Controller.Country, p.Controller.PostalAddress},
		Contact:          ContactView(p.Contact),
		Authorities:      each(p.Authorities, in.authority),
		Scope:            in.scope(),
		Regimes:          each(p.Regimes, func(g Regime) RegimeView { return RegimeView(g) }),
		Rights:           in.rights(),
		Refusals:         in.refusals(),
		WithoutAccount:   p.Verification.WithoutAccount.In(language),
		Categories:       each(p.Categories, in.category),
		California:       p.California(language),
		Purposes:         each(p.Purposes, in.purpose),
		Consents:         each(p.Consents, in.consent),
		Signals:          SignalsView(p.Signals),
		Choices:          each(p.Choices, in.choice),
		Cookies:          each(p.Cookies, in.cookie),
		RecipientClasses: p.classes(),
		Recipients:       each(p.unnamed(), in.recipient),
		Vendors:          each(p.Vendors(), in.recipient),
		Places:           each(p.Sources, in.place),
		Kept:             in.kept(),
		Retention:        in.retention(),
		Closure:          in.closure(),
		Intake:           each(p.Intakes, in.intake),
		Assertions:       in.assertions(),
	}
}

// California returns the rows that both the published policy and the answer to
// a request to know are made of, so that the two cannot differ.
func (p *Policy) California(language string) []CaliforniaView {
	rows := []CaliforniaView{}
	for _, name := range californiaCategories {
		row := CaliforniaView{Category: name, Outside: []string{}, ThirdParties: []RecipientClass{}}
		for _, c := range p.Categories {
			if c.California.Category != name || !c.California.Collected {
				continue
			}
			row.IDs = append(row.IDs, c.ID)
			row.Labels = append(row.Labels, c.Label.In(language))
			row.Sources = union(row.Sources, c.From)
			row.Outside = union(row.Outside, c.FromOutside)
			row.ThirdParties = union(row.ThirdParties, p.classesOf(c.ID))
			for _, u := range p.PurposesOf(c.ID) {
				row.Purposes = union(row.Purposes, []string{u.Text.In(language)})
				row.Sold = row.Sold || u.ForValue
			}
			for _, to := range p.recipientsOf(c.ID) {
				row.Sold = row.Sold || to.ForValue
			}
		}
		if len(row.IDs) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// recipientsOf returns who gets a category.
func (p *Policy) recipientsOf(category string) []Recipient {
	return slices.DeleteFunc(slices.Clone(p.Recipients), func(to Recipient) bool { return !slices.Contains(to.Categories, category) })
}

func (p *Policy) classesOf(category string) []RecipientClass {
	return union([]RecipientClass{}, each(p.recipientsOf(category), func(to Recipient) RecipientClass { return to.Class }))
}

// classes returns the closed set of recipients, or those in use if the policy does not close it.
func (p *Policy) classes() []RecipientClass {
	if len(p.RecipientRules.Classes) > 0 {
		return p.RecipientRules.Classes
	}
	return union([]RecipientClass{}, each(p.Recipients, func(to Recipient) RecipientClass { return to.Class }))
}

func (p *Policy) unnamed() []Recipient {
	return slices.DeleteFunc(slices.Clone(p.Recipients), func(to Recipient) bool { return to.Name != "" })
}

// view renders parts of a policy in one language.
type view struct {
	p        *Policy
	language string
}

func (in view) document() DocumentView {
	d := in.p.Document
	return DocumentView{
		Brand: d.Brand, Title: d.Title.In(in.language), Languages: d.Languages,
		Effective: d.Effective, Updated: d.Updated, URL: d.URL,
		Changelog: each(d.Changelog, func(c Change) ChangeView { return ChangeView{c.Date, c.Text.In(in.language)} }),
		Sections: each(d.Sections, func(s Section) SectionView {
			return SectionView{s.ID, s.Title.In(in.language), paragraphsOf(s.Body.In(in.language), in.p.target), orEmpty(s.Shows)}
		}),
	}
}

func (in view) authority(a Authority) AuthorityView {
	return AuthorityView{a.Residence, a.Name.In(in.language), a.URL}
}

func (in view) link(l Link) LinkView { return LinkView{l.Text.In(in.language), l.URL} }

func (in view) scope() ScopeView {
	s := in.p.Scope
	return ScopeView{
		Surfaces:     each(s.Surfaces, func(f Surface) LinkView { return LinkView{f.Label.In(in.language), f.URL} }),
		Populations:  each(s.Populations, func(q Population) string { return q.Label.In(in.language) }),
		Subsidiaries: orEmpty(s.Subsidiaries),
		Exclusions: each(s.Exclusions, func(x Exclusion) ExclusionView {
			return ExclusionView{x.Text.In(in.language), in.link(x.Redirect)}
		}),
	}
}

func (in view) rights() []RightView {
	list := []RightView{}
	for _, right := range AllRights {
		rule, ok := in.p.Rights[right]
		if !ok {
			continue
		}
		v := RightView{
			Right: right, Residences: rule.Residences, Automatic: rule.Automatic, CoolingHours: int(rule.Cooling.Hours()),
			PromisedDays: rule.PromisedDays, Extension: rule.Extension, Agents: rule.Agents, Proof: rule.Proof,
		}
		if rule.SelfService.URL != "" {
			link := in.link(rule.SelfService)
			v.SelfService = &link
		}
		list = append(list, v)
	}
	return list
}

func (in view) refusals() []RefusalView {
	list := []RefusalView{}
	for _, r := range in.p.reasons() {
		if !in.p.MayRefuse(r.Code) {
			continue
		}
		i := slices.IndexFunc(list, func(v RefusalView) bool { return v.Code == r.Code })
		if i < 0 {
			i = len(list)
			list = append(list, RefusalView{Code: r.Code, Text: Text(r.Text).In(in.language)})
		}
		list[i].Articles = union(list[i].Articles, []string{r.Article})
	}
	return list
}

func (in view) category(c Category) CategoryView {
	return CategoryView{
		ID: c.ID, Label: c.Label.In(in.language), Examples: c.Examples.In(in.language), Subjects: each(c.Subjects, in.population),
		Role: c.Role, From: c.From, FromOutside: orEmpty(c.FromOutside),
		Sensitive: c.Sensitive, Identity: c.IdentityDocument, Credential: c.Credential, Inference: c.Inference, Historical: c.Historical, Shown: c.Shown(),
		California: c.California.Category, Collected: c.California.Collected,
		Purposes:   each(in.p.PurposesOf(c.ID), func(u Purpose) string { return u.Text.In(in.language) }),
		Recipients: in.p.classesOf(c.ID),
		Fields: each(in.p.Fields[c.ID], func(f Field) FieldView {
			return FieldView{f.Label.In(in.language), f.Required, f.IfWithheld.In(in.language), f.Correctable, f.Historical, c.Shown() && f.HeldNotShown == ""}
		}),
	}
}

func (in view) population(id string) string {
	i := slices.IndexFunc(in.p.Scope.Populations, func(q Population) bool { return q.ID == id })
	return in.p.Scope.Populations[i].Label.In(in.language)
}

func (in view) labels(categories []string) []string {
	return each(categories, func(id string) string {
		c, _ := in.p.Category(id)
		return c.Label.In(in.language)
	})
}

func (in view) purpose(u Purpose) PurposeView {
	return PurposeView{u.ID, u.Text.In(in.language), u.Bases, u.Interest.In(in.language), in.labels(u.Categories), u.AlwaysSent}
}

func (in view) consent(c Consent) ConsentView {
	wording := c.Wording.In(in.language)
	v := ConsentView{
		Purpose: c.Purpose, Label: c.Label.In(in.language), Text: in.textOf(c.Purpose), Wording: wording, Hash: WordingHash(wording), Edition: c.Edition,
		Default: c.Default, Ground: c.Ground, Required: c.Required, Loss: c.Loss.In(in.language),
		Explicit: c.Explicit, PerAct: c.PerAct, DoubleOptIn: c.DoubleOptIn, AskFirst: c.AskFirst,
		Mail: c.Mail, Marketing: c.Marketing, StoppedBy: orEmpty(c.StoppedBy),
	}
	if !c.Expires.IsZero() {
		v.Expires = &c.Expires
	}
	return v
}

// textOf returns what a purpose is for.
func (in view) textOf(purpose string) string {
	u, _ := in.p.Purpose(purpose)
	return u.Text.In(in.language)
}

func (in view) choice(e Elsewhere) ChoiceView {
	v := ChoiceView{ID: e.ID, Text: e.Text.In(in.language), PerformedBy: e.PerformedBy, Consequence: e.Consequence.In(in.language), Purpose: e.Purpose}
	if e.Link.URL != "" {
		link := in.link(e.Link)
		v.Link = &link
	}
	return v
}

func (in view) cookie(k Cookie) CookieView {
	return CookieView{
		ID: k.ID, Name: k.Name, Kind: k.Kind, Party: k.Party, Essential: k.Essential, Purpose: in.textOf(k.Purpose),
		Lifetime: k.Lifetime.In(in.language), ControlledBy: k.ControlledBy, Loss: k.Loss.In(in.language),
	}
}

func (in view) recipient(to Recipient) RecipientView {
	return RecipientView{
		ID: to.ID, Class: to.Class, Name: to.Name, Function: to.Function.In(in.language), Policy: to.Policy, Country: to.Country, Role: to.Role,
		Categories: in.labels(to.Categories), Undertakings: orEmpty(to.Undertakings), Safeguard: to.Safeguard, AtDirection: to.AtUserDirection,
	}
}

func (in view) place(s Source) PlaceView {
	return PlaceView{
		Label: s.Label.In(in.language), Country: s.Country, Role: s.Role, Controller: s.Controller, RunBy: in.runBy(s.RunBy),
		OnPersonalComputers: s.OnPersonalComputers, NotUnderControl: s.NotUnderControl,
		Categories: in.labels(each(s.Holdings, func(h Holding) string { return h.Category })), Backups: orNone(s.Backups),
	}
}

// runBy names a recipient: by its name, or by what it does.
func (in view) runBy(id string) string {
	i := slices.IndexFunc(in.p.Recipients, func(to Recipient) bool { return to.ID == id })
	if i < 0 {
		return ""
	}
	return cmp.Or(in.p.Recipients[i].Name, in.p.Recipients[i].Function.In(in.language))
}

func (in view) kept() []KeptView {
	list := []KeptView{}
	for _, s := range in.p.Sources {
		for _, h := range s.Holdings {
			if h.Kept() {
				list = append(list, in.keep(h.Category, h.Keep))
			}
		}
	}
	return list
}

func (in view) keep(category string, k Keep) KeptView {
	return KeptView{in.labels([]string{category})[0], k.Ground, k.Duty.In(in.language), k.Article, k.Period, k.From}
}

// retention lists how everything ends that no duty keeps: by which rule, or with the
// account.
func (in view) retention() []RetentionView {
	list := []RetentionView{}
	for _, s := range in.p.Sources {
		for _, h := range s.Holdings {
			if s.Role != AsController || h.Action == ActionKeep {
				continue
			}
			row := RetentionView{Category: in.labels([]string{h.Category})[0], Place: s.Label.In(in.language), Except: []KeptView{}}
			for _, r := range in.p.RulesFor(s.ID, h.Category) {
				if !r.Kept {
					list = append(list, in.rule(row, r))
				}
			}
			if in.p.endsWithAccount(h) {
				row.Trigger, row.SetBy, row.Action = WhenAccountClosed, SetByCompany, RetireDelete
				if cmp.Or(h.OnClosure, h.Action) == ActionAnonymise {
					row.Action = RetireAnonymise
				}
				list = append(list, row)
			}
		}
	}
	return list
}

func (in view) rule(row RetentionView, r RetentionRule) RetentionView {
	row.Trigger, row.Period, row.SetBy, row.Article, row.Action = r.Trigger, orNone(r.Period), r.SetBy, r.Article, r.Action
	row.Relationship = in.p.Relationships[r.Relationship].In(in.language)
	row.Purpose = in.textOf(r.Purpose)
	row.Except = each(r.Except, func(k Keep) KeptView { return in.keep(r.Category, k) })
	return row
}

// orNone is a period, or nothing: a reader of JSON is not to take 0d for a promise.
func orNone(p Period) *Period {
	if p.IsZero() {
		return nil
	}
	return &p
}

func (in view) closure() *ClosureView {
	c := in.p.Closure
	if !c.Offered {
		return nil
	}
	return &ClosureView{
		GraceDays: int(c.Grace.Hours()) / 24, Immediate: c.Grace == 0, ConfirmHours: int(c.ConfirmWithin.Hours()), ErasedWithin: c.ErasedWithin,
		Before: paragraphsOf(c.Before.In(in.language), in.p.target),
	}
}

func (in view) intake(i Intake) IntakeView {
	return IntakeView{
		Label: i.Label.In(in.language), Category: in.labels([]string{i.Category})[0], From: i.From, Outside: i.Outside,
		Keep: i.Keep, Unknown: i.Unknown, Refuse: orEmpty(i.Refuse),
	}
}

func (in view) assertions() []AssertionView {
	list := []AssertionView{}
	for _, a := range assertions {
		if tenses := in.p.Assertions[a]; len(tenses) > 0 {
			list = append(list, AssertionView{a, tenses})
		}
	}
	return list
}

// each returns what f makes of every entry, never nil: JSON is to say [].
func each[T, V any](entries []T, f func(T) V) []V {
	views := make([]V, len(entries))
	for i, e := range entries {
		views[i] = f(e)
	}
	return views
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// union appends to list what it does not have yet.
func union[T comparable](list, more []T) []T {
	for _, e := range more {
		if !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list
}

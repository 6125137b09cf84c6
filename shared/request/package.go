package request

import (
	"context"
	"fmt"
	"io"
	"os"

	"rightsdesk/shared/export"
	"rightsdesk/shared/law"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
)

// makePackage builds the ZIP from its parts and keeps it. It passes through a
// temporary file, because a bucket wants to know the size beforehand and a
// package may be larger than memory. Built again after a crash it replaces itself.
func (s *Service) makePackage(ctx context.Context, r Request) (string, error) {
	m, subject, err := s.manifest(ctx, r)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp("", "rightsdesk-*.zip")
	if err != nil {
		return "", fmt.Errorf("make room for a package: %w", err)
	}
	// Without a name it is gone with the process, even one that is killed: it holds
	// what is personal in clear. A system that cannot do this removes it at the end.
	_ = os.Remove(file.Name())
	defer func() {
		_ = file.Close()           // it was read or will not be
		_ = os.Remove(file.Name()) // it is gone already, or it goes now
	}()
	parts := export.Parts{Store: s.Exports, Open: func(key string, b []byte) ([]byte, error) {
		return s.Keys.Ring.Unseal(subject, seal.Place{Item: r.ID.Partition(), Field: key}, b)
	}}
	if err := export.Build(ctx, file, m, parts); err != nil {
		return "", err
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return "", fmt.Errorf("measure a package: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("read a package: %w", err)
	}
	key := prefix(r.ID) + "package.zip"
	if err := s.Exports.Put(ctx, key, file, size); err != nil {
		return "", fmt.Errorf("keep a package: %w", err)
	}
	return key, nil
}

// prefix is where a request's objects are kept.
func prefix(id ID) string { return string(id) + "/" }

// manifest says what the package is and what it may show.
func (s *Service) manifest(ctx context.Context, r Request) (export.Manifest, seal.Subject, error) {
	person, subject, err := s.person(ctx, r)
	if err != nil {
		return export.Manifest{}, seal.Subject{}, err
	}
	lang := r.Locale
	a := s.authority(r)
	m := export.Manifest{
		Request: string(r.ID), Right: export.Right(r.Right), Language: lang,
		Brand: s.Policy.Document.Brand, Controller: s.Policy.Controller.LegalName, Contact: s.Policy.Contact.Email,
		Received: r.Received.In(s.Zone()), Made: s.now().In(s.Zone()), Authority: export.Authority{Name: a.Name, URL: a.Page},
	}
	for _, w := range law.NeverDisclosed(r.Law) {
		m.Withheld = append(m.Withheld, w.Kind)
	}
	for _, c := range s.Policy.Categories {
		m.Categories = append(m.Categories, s.category(c, lang))
	}
	for _, step := range r.Steps {
		decl, _ := s.Policy.Source(step.Source)
		if step.Verb == DoByHand {
			for _, h := range decl.Holdings {
				m.Outcomes = append(m.Outcomes, export.Outcome{
					Source: step.Source, System: decl.Label.In(lang), Category: h.Category, Result: export.Apart, Note: words.In(lang).T("result.done"),
				})
			}
			continue
		}
		o := export.Outcome{Source: step.Source, System: decl.Label.In(lang), Category: step.Category, Result: export.Found, Records: step.Found}
		switch {
		case step.Verb == DoRefer:
			o.Result, o.Note = export.Processor, words.In(lang).Outcome(words.Outcome{Result: words.Elsewhere, Controller: decl.Controller}, nil)
		case step.State == Nothing:
			o.Result = export.Nothing
		case step.Verb == DoTell && r.Right != policy.Portability:
			o.Result = export.Held
		case step.Verb == DoExport:
			o.Records = step.Done
		}
		m.Outcomes = append(m.Outcomes, o)
	}
	counts := map[string]int{}
	for _, i := range s.ignored(ctx, r, person) {
		counts[string(i.Kind)]++
	}
	for kind, n := range counts {
		m.Ignored = append(m.Ignored, export.Ignored{Kind: kind, Count: n})
	}
	for _, x := range s.Policy.Scope.Exclusions {
		note := x.Text.In(lang)
		if x.Redirect.URL != "" {
			note += " " + x.Redirect.Text.In(lang) + " " + x.Redirect.URL
		}
		m.Notes = append(m.Notes, note)
	}
	if r.Right == policy.Know {
		m.California = s.california(lang)
	}
	return m, subject, nil
}

// california is the list of the published policy in words: the answer to a
// request to know shows the same rows.
func (s *Service) california(lang string) []export.CaliforniaRow {
	w := words.In(lang)
	var rows []export.CaliforniaRow
	for _, v := range s.Policy.California(lang) {
		row := export.CaliforniaRow{
			Category: string(v.Category), Label: w.T("california." + string(v.Category)),
			Categories: v.Labels, Sources: origins(w, v.Sources, v.Outside), Purposes: v.Purposes, ThirdParties: []string{}, Sold: v.Sold,
		}
		for _, class := range v.ThirdParties {
			row.ThirdParties = append(row.ThirdParties, w.T("class."+string(class)))
		}
		rows = append(rows, row)
	}
	return rows
}

// origins says where data comes from; who is outside is named.
func origins(w words.Words, from []policy.Origin, outside []string) []string {
	list := []string{}
	for _, origin := range from {
		if origin != policy.FromOthers {
			list = append(list, w.T("origin."+string(origin)))
		}
	}
	return append(list, outside...)
}

// category tells what the policy declares of a category, the same in every
// package and on the policy page.
func (s *Service) category(c policy.Category, lang string) export.Category {
	out := export.Category{
		ID: c.ID, Label: c.Label.In(lang), Credential: c.Credential, NeverDisclose: c.NeverDisclose, Inference: c.Inference,
	}
	for _, p := range s.Policy.PurposesOf(c.ID) {
		out.Purposes = append(out.Purposes, p.Text.In(lang))
	}
	out.Sources = origins(words.In(lang), c.From, c.FromOutside)
	for _, v := range s.Policy.Recipients {
		for _, id := range v.Categories {
			if id == c.ID {
				name := v.Name
				if name == "" {
					name = v.Function.In(lang)
				}
				out.Recipients = append(out.Recipients, name)
			}
		}
	}
	for _, f := range s.Policy.Fields[c.ID] {
		if f.HeldNotShown != "" {
			out.Withheld = append(out.Withheld, f.Name)
		}
	}
	return out
}

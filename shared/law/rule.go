package law

import "slices"

// Asking returns what waiting for a cause does under the law that binds.
func Asking(c Case, cause Cause) (Asked, error) {
	k, err := open(c, nil, nil)
	if err != nil {
		return Asked{}, err
	}
	f, _ := k.answer()
	effect, b := Ignore, f.law.limit(c.Right).basis
	if s := f.law.stop(cause, c.Right, c.Place); s != nil {
		effect, b = s.effect, s.basis
	}
	return Asked{Law: f.law.ID, Effect: effect, Article: b.article, Source: b.source, Mark: b.mark}, nil
}

// ExtensionOf returns how far the answer can be put off, or ErrNoExtension. With
// several laws in question, each of them allows the dates; the grounds are those
// of the law that binds without an extension.
func ExtensionOf(c Case) (Extension, error) {
	k, err := open(c, nil, nil)
	if err != nil {
		return Extension{}, err
	}
	first, later, e, err := k.extensible()
	if err != nil {
		return Extension{}, err
	}
	return Extension{
		Law: first.law.ID, Notice: first.legal.End(c.Zone), Until: later.legal.End(c.Zone), SafeBy: later.safe.End(c.Zone),
		Grounds: slices.Clone(e.grounds), Article: e.basis.article, Source: e.basis.source, Mark: e.basis.mark,
	}, nil
}

// Appeals returns nil if somebody whose request was refused can appeal to the
// company under the law that binds, else ErrNoAppeal.
func Appeals(c Case) error {
	k, err := open(c, nil, nil)
	if err != nil {
		return err
	}
	if f, _ := k.answer(); f.law.appeal == nil {
		return ErrNoAppeal
	}
	return nil
}

// Silence returns the article that makes it a refusal if no answer comes in time.
func Silence(law string, received Date) (article string, ok bool) {
	p, _ := inForce(law, received)
	if p == nil || p.silence == (basis{}) {
		return "", false
	}
	return p.silence.article, true
}

// Forbids returns why a law forbids to ask for a proof, if it does.
func Forbids(law, right string, proof Proof) (Refusal, bool) {
	p, _ := ByID(law)
	for _, b := range p.proofs {
		if applies(b.rights, right) && slices.Contains(b.forbid, proof) {
			return Refusal{Text: b.why, Article: b.basis.article, Source: b.basis.source, Mark: b.basis.mark}, true
		}
	}
	return Refusal{}, false
}

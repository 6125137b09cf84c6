package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"rightsdesk/shared/certificate"
	"rightsdesk/shared/request"
)

const certificateUsage = "usage: go run ./infra/local certificate verify FILE [-jwks FILE] [-print]"

// certificateCommand is the command `certificate verify`: it checks the signed
// certificate of an erasure against a file of public keys and asks nobody.
func certificateCommand(args []string, out io.Writer) error {
	if len(args) == 0 || args[0] != "verify" {
		return errors.New(certificateUsage)
	}
	v, err := readVerify("certificate verify", "certificate", certificateUsage, args[1:])
	if err != nil || v.file == "" {
		return err
	}
	doc, err := certificate.Verify(string(v.signed), v.jwks)
	if err != nil {
		return fmt.Errorf("%s: %w", v.file, err)
	}
	if v.whole {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(doc)
	}
	_, err = fmt.Fprintf(out, "%s is as it was signed, by the key %s, which %s holds.\n%s", v.file, signer(v.signed), v.keys, certified(doc))
	return err
}

// certified says in a few lines what a certificate is about.
func certified(doc certificate.Document) string {
	var s strings.Builder
	line := func(what, is string) { fmt.Fprintf(&s, "  %-14s %s\n", what, visible(is)) }
	line("request", string(doc.Request)+", "+doc.Right)
	line("company", doc.Controller.Name)
	line("done", doc.Fulfilled.Format(time.RFC3339))
	for _, p := range doc.Places {
		is := fmt.Sprintf("%s: %s", p.Category, p.Fate)
		if p.Records > 0 {
			is += fmt.Sprintf(", %d", p.Records)
		}
		if p.Fate == request.FateKept && p.Kept != nil {
			is += ", " + p.Kept.Duty
			if p.Kept.Until != nil {
				is += " until " + p.Kept.Until.Format(time.DateOnly)
			}
		}
		line(p.System, is)
	}
	line("unrecoverable", "from "+doc.Unrecoverable.Format(time.RFC3339))
	return s.String()
}

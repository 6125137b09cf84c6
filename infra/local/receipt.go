package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"rightsdesk/shared/receipt"
)

const receiptUsage = "usage: go run ./infra/local receipt verify FILE [-jwks FILE] [-print]"

// receiptCommand is the command `receipt verify`: it checks a signed receipt
// against a file of public keys and asks nobody, so that whoever holds the two
// files needs neither us nor the network.
func receiptCommand(args []string, out io.Writer) error {
	if len(args) == 0 || args[0] != "verify" {
		return errors.New(receiptUsage)
	}
	v, err := readVerify("receipt verify", "receipt", receiptUsage, args[1:])
	if err != nil || v.file == "" {
		return err
	}
	plain, err := receipt.Verify(string(v.signed), v.jwks)
	if err != nil {
		return fmt.Errorf("%s: %w", v.file, err)
	}
	if v.whole {
		_, err = out.Write(append(plain, '\n'))
		return err
	}
	_, err = fmt.Fprintf(out, "%s is as it was signed, by the key %s, which %s holds.\n%s", v.file, signer(v.signed), v.keys, describe(plain))
	return err
}

// toVerify is what a command that checks a signed file was given.
type toVerify struct {
	file, keys   string // their names
	signed, jwks []byte
	whole        bool // print what was signed, and nothing else
}

// readVerify reads the arguments of a command that checks a signed file, and the two
// files. No file: help was asked for.
func readVerify(command, what, usage string, args []string) (v toVerify, err error) {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.StringVar(&v.keys, "jwks", "", "the public keys, as /.well-known/jwks.json gives them; without it, jwks.json beside the "+what)
	flags.BoolVar(&v.whole, "print", false, "print the "+what+" that was signed, and nothing else")
	var files []string
	for rest := args; len(rest) > 0; {
		if err := flags.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return v, nil
			}
			return v, err
		}
		if rest = flags.Args(); len(rest) > 0 { // flags may stand behind the file, too
			files, rest = append(files, rest[0]), rest[1:]
		}
	}
	if len(files) != 1 {
		return v, errors.New(usage)
	}
	if v.keys == "" {
		v.keys = filepath.Join(filepath.Dir(files[0]), "jwks.json")
	}
	if v.signed, err = os.ReadFile(files[0]); err != nil {
		return v, fmt.Errorf("read the %s: %w", what, err)
	}
	if v.jwks, err = os.ReadFile(v.keys); err != nil {
		return v, fmt.Errorf("read the public keys: %w", err)
	}
	// Editors end a file with a line break. It is the one thing that is not part of
	// what was signed, and is passed over.
	v.signed = bytes.TrimSuffix(bytes.TrimSuffix(v.signed, []byte("\n")), []byte("\r"))
	v.file = files[0]
	return v, nil
}

// signer returns the id of the key that signed a file, which has been checked.
func signer(signed []byte) string {
	header, _, _ := bytes.Cut(signed, []byte("."))
	var h struct {
		ID string `json:"kid"`
	}
	if b, err := base64.RawURLEncoding.DecodeString(string(header)); err != nil || json.Unmarshal(b, &h) != nil {
		return "?"
	}
	return h.ID
}

// visible drops what would steer a terminal: the files may be anybody's.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// describe says in a few lines what a receipt is about.
func describe(plain []byte) string {
	var dpv struct {
		ID      string `json:"dct:identifier"`
		Created string `json:"dct:created"`
		Record  struct {
			ID      string `json:"dct:identifier"`
			Subject struct {
				ID string `json:"dct:identifier"`
			} `json:"dpv:hasDataSubject"`
			Process struct {
				Purpose struct {
					Title string `json:"dct:title"`
				} `json:"dpv:hasPurpose"`
			} `json:"dpv:hasProcess"`
			Parties []struct {
				Name string `json:"dpv:hasName"`
			} `json:"dpv:hasEntity"`
			Events []struct {
				Type []string `json:"@type"`
				At   string   `json:"dpv:isIndicatedAtTime"`
			} `json:"dpv:hasConsentStatus"`
		} `json:"dpv:hasRecordOfActivity"`
	}
	var kantara struct {
		ID          string `json:"consentReceiptID"`
		Subject     string `json:"piiPrincipalId"`
		Controllers []struct {
			Name string `json:"piiController"`
		} `json:"piiControllers"`
		Services []struct {
			Purposes []struct {
				Purpose string `json:"purpose"`
			} `json:"purposes"`
		} `json:"services"`
		Record struct {
			ID     string `json:"recordId"`
			Issued string `json:"issuedAt"`
			State  string `json:"state"`
			At     string `json:"at"`
			Since  struct {
				State string `json:"state"`
				At    string `json:"at"`
			} `json:"since"`
		} `json:"record"`
	}
	var s strings.Builder
	line := func(what, is string) {
		if is != "" {
			fmt.Fprintf(&s, "  %-10s %s\n", what, visible(is))
		}
	}
	switch {
	case json.Unmarshal(plain, &dpv) == nil && dpv.Record.ID != "" && len(dpv.Record.Parties) > 0:
		line("receipt", dpv.ID+", made "+dpv.Created)
		line("record", dpv.Record.ID)
		line("company", dpv.Record.Parties[0].Name)
		line("person", dpv.Record.Subject.ID)
		line("purpose", dpv.Record.Process.Purpose.Title)
		for _, e := range dpv.Record.Events {
			if len(e.Type) > 0 {
				line("event", strings.TrimPrefix(e.Type[0], "dpv:")+" "+e.At)
			}
		}
	case json.Unmarshal(plain, &kantara) == nil && kantara.ID != "" && len(kantara.Controllers) > 0:
		line("receipt", kantara.ID+", made "+kantara.Record.Issued)
		line("record", kantara.Record.ID)
		line("company", kantara.Controllers[0].Name)
		line("person", kantara.Subject)
		for _, service := range kantara.Services {
			for _, p := range service.Purposes {
				line("purpose", p.Purpose)
			}
		}
		line("event", kantara.Record.State+" "+kantara.Record.At)
		if kantara.Record.Since.State != "" {
			line("event", kantara.Record.Since.State+" "+kantara.Record.Since.At)
		}
	default:
		line("receipt", "of a kind that this version does not know; -print shows it")
	}
	return s.String()
}

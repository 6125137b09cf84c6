package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"io"

	"rightsdesk/infra/release/bundle"
)

// verify looks at a release and needs nothing but its folder and the publisher's key.
func verify(_ context.Context, flags *flag.FlagSet, args []string, out, log io.Writer) error {
	file := flags.String("key", "", "file of the publisher's public key")
	unsigned := flags.Bool("unsigned", false, "accept that nobody says who made it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("verify: give the folder of a release, such as dist/rightsdesk/v1.2.3")
	}
	var key ed25519.PublicKey
	var err error
	switch {
	case *file != "":
		if key, err = bundle.PublicKey(*file); err != nil {
			return err
		}
	case !*unsigned:
		return errors.New("verify: give the publisher's public key as -key FILE; -unsigned looks only whether the files fit together")
	}
	problems := bundle.Verify(flags.Arg(0), key)
	for _, p := range problems {
		tell(out, "✗", p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("verify: %d problems: do not install this", len(problems))
	}
	if key == nil {
		tell(log, "SIGNATURE NOT CHECKED: anybody could have made this")
	}
	tell(out, "✓ every file is as SHA256SUMS says, and the template runs this code and no other")
	if key != nil {
		tell(out, "✓ signed with the key that you gave")
	}
	return nil
}

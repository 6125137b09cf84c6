package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"rightsdesk/infra/operate"
)

const leaveUsage = "usage: go run ./infra/local leave -out DIR (-data DIR | -stack NAME [-region REGION] [-profile PROFILE])"

// leaveCommand is the command `leave`: it writes everything that an installation holds
// into a folder, in formats that need none of our programs.
func leaveCommand(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("leave", flag.ContinueOnError)
	to := flags.String("out", "", "folder to write into; it must not exist yet")
	data := flags.String("data", "", "folder of a run on this laptop, which must not be running")
	file := flags.String("policy", "", "policy file that the run was started with, if it was")
	there := inAccount(flags)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *to == "" || (*data == "") == (there.stack == "") || flags.NArg() > 0 {
		return errors.New(leaveUsage)
	}
	var books operate.Books
	if *data != "" {
		var shut func() error
		if books, shut, err = openBooks(ctx, *data, *file); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, shut()) }()
	} else {
		account, stack, err := there.open(ctx)
		if err != nil {
			return err
		}
		if books, err = account.Books(ctx, stack); err != nil {
			return err
		}
	}
	left, err := books.Leave(ctx, *to)
	if err != nil {
		return err
	}
	if err := left.Print(out, *to); err != nil {
		return err
	}
	if !left.Whole() {
		return errors.New("not everything was exported, or the audit does not hold; the lines with ✗ say what")
	}
	return nil
}

// inAccount are the flags that name an installation in an AWS account.
func inAccount(flags *flag.FlagSet) *stackFlags {
	f := &stackFlags{}
	flags.StringVar(&f.stack, "stack", "", "name of the stack of an installation in AWS")
	flags.StringVar(&f.region, "region", "", "its region; without it, that of the profile or of AWS_REGION")
	flags.StringVar(&f.profile, "profile", "", "profile of AWS's own configuration files, with the credentials to use")
	return f
}

type stackFlags struct{ stack, region, profile string }

func (f *stackFlags) account(ctx context.Context) (*operate.Account, error) {
	a, err := operate.Open(ctx, f.region, f.profile)
	if err != nil {
		return nil, err
	}
	a.Now = time.Now
	return a, nil
}

func (f *stackFlags) open(ctx context.Context) (*operate.Account, *operate.Stack, error) {
	a, err := f.account(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := a.Stack(ctx, f.stack)
	if err != nil {
		return nil, nil, fmt.Errorf("find the installation: %w", err)
	}
	return a, s, nil
}

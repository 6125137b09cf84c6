package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

const teardownUsage = "usage: go run ./infra/local teardown -stack NAME [-region REGION] [-profile PROFILE] [-delete | -purge]"

// teardownCommand is the command `teardown`: it says what taking an installation in an
// account down would do and what staying costs; with a flag and a word that has to be
// typed, it does it.
func teardownCommand(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("teardown", flag.ContinueOnError)
	there := inAccount(flags)
	gone := flags.Bool("delete", false, "delete the stack; its tables, buckets, key and operators stay")
	purge := flags.Bool("purge", false, "delete the stack and all that would stay")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if there.stack == "" || *gone && *purge || flags.NArg() > 0 {
		return errors.New(teardownUsage)
	}
	account, err := there.account(ctx)
	if err != nil {
		return err
	}
	plan, err := account.PlanTeardown(ctx, there.stack)
	if err != nil {
		return err
	}
	if err := plan.Print(out); err != nil || !*gone && !*purge {
		return err
	}
	if _, err := fmt.Fprintf(out, "\nType %q to go on: ", plan.Confirmation(*purge)); err != nil {
		return err
	}
	typed, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read what was typed: %w", err)
	}
	return account.Delete(ctx, plan, *purge, strings.TrimSpace(typed), out)
}

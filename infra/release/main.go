// Command release makes what is handed out: a template that needs neither Go nor the
// CDK, the code behind it, and the documents that are written from both.
//
//	release template -version V -bucket B [-key FILE]  make a release in dist
//	release verify [-key FILE] DIR                     look at a release without any network
//	release upgrade OLD NEW                            say what an upgrade replaces, deletes and asks
//	release adopt -out DIR TEMPLATE NAME=ID...         take over what an earlier installation left
//	release replace -out DIR TEMPLATE TABLE=NAME...    put a restored table in the place of one of a stack
//	release docs [-check]                              write the documents that are made from the template
//	release cost                                       say what a month costs
//
// Run it from the top of the repository, by go run ./infra/release or make template.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// command is one thing that release does.
type command struct {
	usage string
	run   func(ctx context.Context, flags *flag.FlagSet, args []string, out, log io.Writer) error
}

var commands = map[string]command{
	"template": {"-version 1.2.3 -bucket rightsdesk-111122223333 [-key FILE]", template},
	"verify":   {"[-key FILE | -unsigned] DIR", verify},
	"upgrade":  {"OLD.json NEW.json", upgrade},
	"adopt":    {"-out DIR TEMPLATE.json NAME=PHYSICAL-ID...", adopt},
	"replace":  {"-out DIR TEMPLATE.json StateTable=NAME StateTable.StreamArn=ARN...", replace},
	"docs":     {"[-check] [-template FILE] [-out DIR]", docs},
	"cost":     {"[-template FILE]", bill},
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	if len(args) == 0 {
		return errors.New("say what to do: template, verify, upgrade, adopt, replace, docs or cost")
	}
	c, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("there is no command %q, only template, verify, upgrade, adopt, replace, docs and cost", args[0])
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(log)
	flags.Usage = func() {
		tellf(log, "usage: go run ./infra/release %s %s\n", args[0], c.usage)
		flags.PrintDefaults()
	}
	return c.run(ctx, flags, args[1:], out, log)
}

// tell writes a line. Who does not listen any more misses nothing.
func tell(w io.Writer, words ...any) { _, _ = fmt.Fprintln(w, words...) }

func tellf(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// Command local runs all of Rightsdesk in one process on a laptop: the functions
// of the topology with their routes and schedules, an embedded database, a
// mailbox that shows every mail, a clock that can be turned, and a sample company
// whose data requests really find, export and erase. It needs no account and no
// network.
//
//	local                      run on 127.0.0.1:8080, with data in .local
//	local policy check FILE    say whether a policy file can be used
//	local law diff             say which open requests would get other dates from this version's law packs
//	local app METHOD PATH BODY sign a call as the company's app, make it, and show the answer
//	local consent import FILE  take over consents and suppressions from elsewhere
//	local checkpoint verify    check the audit by what was sealed of it, offline
//	local receipt verify FILE  check a signed receipt against a file of public keys
//	local doctor               look at an installation, here or in AWS, and say what has to be dealt with
//	local sign-in -stack NAME  get an operator's token for an installation in AWS
//	local leave -out DIR       write everything that an installation holds into a folder
//	local teardown -stack NAME take down an installation in AWS, and say what stays
//
// It is the second interpreter of the topology, beside infra/stack: it declares
// nothing of its own but what only a laptop has, below /local.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // so that a laptop without zone files counts days right

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/topology"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "policy" {
		return checkPolicy(args[1:])
	}
	if len(args) > 0 && args[0] == "law" {
		found, err := lawCommand(ctx, args[1:])
		fmt.Print(found)
		return err
	}
	if len(args) > 0 && args[0] == "app" {
		return appCommand(ctx, args[1:], os.Stdin, os.Stdout)
	}
	if len(args) > 0 && args[0] == "consent" {
		return consentCommand(ctx, args[1:], os.Stdout, os.Stderr)
	}
	if len(args) > 0 && args[0] == "receipt" {
		return receiptCommand(args[1:], os.Stdout)
	}
	if len(args) > 0 && args[0] == "certificate" {
		return certificateCommand(args[1:], os.Stdout)
	}
	if len(args) > 0 && args[0] == "checkpoint" {
		return checkpointCommand(ctx, args[1:], os.Stdin, os.Stdout)
	}
	if len(args) > 0 && args[0] == "doctor" {
		return doctorCommand(ctx, args[1:], os.Stdout)
	}
	if len(args) > 0 && args[0] == "sign-in" {
		return signInCommand(ctx, args[1:], os.Stdout, os.Stderr)
	}
	if len(args) > 0 && args[0] == "leave" {
		return leaveCommand(ctx, args[1:], os.Stdout)
	}
	if len(args) > 0 && args[0] == "teardown" {
		return teardownCommand(ctx, args[1:], os.Stdin, os.Stdout)
	}
	o := options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "address to listen on; a loopback address")
	flags.StringVar(&o.Dir, "data", ".local", "folder of the databases, keys and packages")
	flags.StringVar(&o.PolicyFile, "policy", "", "policy file; without it, the sample company's")
	flags.IntVar(&o.People, "people", 3000, "people of the sample company, when it is made")
	flags.IntVar(&o.Records, "records", 0, "records of one more, very busy person of the sample company")
	flags.StringVar(&o.Mail, "mail", topology.MailOn, "whether people are written to: on, off, or sandbox for addresses of the company's own only")
	flags.BoolVar(&o.NoHints, "no-hints", false, "leave all work to the schedules: no queue, no stream")
	flags.Uint64Var(&o.Hostile, "hostile", 0, "seed of a store that fails the way clouds fail; 0: it does not")
	flags.BoolVar(&o.Journal, "journal", false, "let the sample company record what every call did")
	slow := flags.Duration("slow", 0, "let the sample company take so long for every call")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *slow > 0 {
		o.Fault = func(company.Call) company.Fault { return company.Fault{Slow: *slow} }
	}
	p, err := start(ctx, o)
	if err != nil {
		return err
	}
	fmt.Printf(`Rightsdesk runs at %[1]s

  %[1]s/               ask for your data, as a person would
  %[1]s/policy         the policy that is kept
  %[1]s/preferences    see and change what you allowed
  %[1]s/close          close an account
  %[1]s/local/shop     a website that asks what you allow
  %[1]s/local/mail     every mail that would have been sent
  %[1]s/local/events   what the company's own systems would have been told
  %[1]s/local/clock    the time; POST ?by=25d turns it on
  %[1]s/local/company  the sample company, whose data is found and erased

The operators' key (Authorization: Bearer ...): %[2]s
Data is kept in %[3]s. Stop with Ctrl-C.
`, p.URL, p.OperatorKey, o.Dir)
	return p.Wait()
}

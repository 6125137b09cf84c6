package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"rightsdesk/infra/operate"
	"rightsdesk/shared/mail/mailbox"
	"rightsdesk/shared/table"
)

// errTrouble ends doctor where something has to be dealt with, so that scripts notice.
var errTrouble = errors.New("doctor found something that has to be dealt with; the lines with ✗ say what")

// doctorCommand is the command `doctor`: it looks at an installation, on this laptop or
// in an account, and says what has to be dealt with, and how. It changes nothing.
func doctorCommand(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	there := inAccount(flags)
	var look operate.Look
	flags.BoolVar(&look.Send, "send", false, "with -stack: also write to the mail service's own simulator")
	flags.BoolVar(&look.Chains, "chains", false, "with -stack: also verify every entry of the audit, which reads the whole table")
	data := flags.String("data", ".local", "folder of a run on this laptop")
	listen := flags.String("listen", "127.0.0.1:8080", "address that the run would listen on")
	file := flags.String("policy", "", "policy file that the run is started with, if it is")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return errors.New("usage: go run ./infra/local doctor [-data DIR | -stack NAME [-region REGION] [-profile PROFILE] [-send] [-chains]]")
	}
	var r *operate.Report
	if there.stack != "" {
		account, err := there.account(ctx)
		if err != nil {
			return err
		}
		if r, err = account.Doctor(ctx, there.stack, look); err != nil {
			return err
		}
	} else {
		r = examine(ctx, *data, *listen, *file)
	}
	if err := r.Print(out); err != nil {
		return err
	}
	if r.Trouble() > 0 {
		return errTrouble
	}
	return nil
}

// lateAfter is how long something may have been due: the schedules of a run come round
// every few minutes, but no schedule runs while the run does not.
const lateAfter = time.Hour

// examine looks at what a run on this laptop keeps, while it does not run.
func examine(ctx context.Context, dir, listen, file string) *operate.Report {
	r := &operate.Report{}
	if !freePort(ctx, r, listen) {
		return r
	}
	info, err := os.Stat(dir)
	if err != nil {
		r.Note("data", "there is none in "+dir, "make run makes it; -data names another folder")
		return r
	}
	if info.Mode().Perm()&0o077 != 0 {
		r.Bad("data", "others on this machine may look into "+dir, "chmod -R go-rwx "+dir)
	} else {
		r.Good("data", dir)
	}
	books, shut, err := openBooks(ctx, dir, file)
	if err != nil {
		r.Bad("database, keys and policy", err.Error(), "restore "+dir+" from a copy; without keys.json nothing sealed can be read again")
		return r
	}
	defer func() {
		if err := shut(); err != nil {
			r.Bad("database", err.Error(), "see that the disk has room and is well")
		}
	}()
	r.Good("key ring", "it opens")
	r.Good("policy", "version "+books.Policy.Version)
	if err := backlog(ctx, r, books); err != nil {
		r.Failed("due-index", err)
	}
	r.Chains(books.Verify(ctx))
	letters, err := mailbox.Open(filepath.Join(dir, "mailbox.db"), books.Now)
	if err != nil {
		r.Bad("mailbox", err.Error(), "delete mailbox.db if the letters in it are not needed")
		return r
	}
	if err := letters.Close(); err != nil {
		r.Bad("mailbox", err.Error(), "see that the disk has room and is well")
		return r
	}
	r.Good("mailbox", "it opens")
	return r
}

// freePort reports whether nobody listens: what runs has its database to itself.
func freePort(ctx context.Context, r *operate.Report, listen string) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		r.Bad("port", "somebody listens on "+listen, "stop the run, and look again; or say with -listen which address is meant")
		return false
	}
	if err := l.Close(); err != nil {
		r.Bad("port", err.Error(), "try again")
		return false
	}
	r.Good("port", listen+" is free")
	return true
}

// backlog says whether something has been due for long.
func backlog(ctx context.Context, r *operate.Report, b operate.Books) error {
	late := 0
	var oldest time.Time
	for n := range table.DueShards {
		q := table.Query{Table: table.State, Index: table.Due, Partition: table.DueShard(n), Until: b.Now().Add(-lateAfter)}
		for {
			page, err := b.Table.Query(ctx, q)
			if err != nil {
				return err
			}
			for _, item := range page.Items {
				if late++; oldest.IsZero() || item.Due.Before(oldest) {
					oldest = item.Due
				}
			}
			if q.Cursor = page.Cursor; q.Cursor == "" {
				break
			}
		}
	}
	if late == 0 {
		r.Good("due-index", "nothing waits")
		return nil
	}
	r.Note("due-index", fmt.Sprintf("%d wait, one since %s", late, oldest.UTC().Format("2006-01-02 15:04")), "make run works them off; nothing is done while it does not run")
	return nil
}

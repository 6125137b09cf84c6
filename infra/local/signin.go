package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"rightsdesk/infra/operate"
)

const signInUsage = "usage: go run ./infra/local sign-in (-stack NAME [-region REGION] [-profile PROFILE] | -issuer URL -client ID) [-scopes SCOPES] [-print]"

// signInCommand is the command `sign-in`: an operator signs in with a browser, and the
// token that the API takes goes to out, as a line for the shell. It is kept nowhere.
func signInCommand(ctx context.Context, args []string, out, says io.Writer) error {
	flags := flag.NewFlagSet("sign-in", flag.ContinueOnError)
	there := inAccount(flags)
	issuer := flags.String("issuer", "", "issuer of operators' tokens, where there are no credentials for the account")
	client := flags.String("client", "", "with -issuer: whom the tokens are for")
	scopes := flags.String("scopes", "", "scopes to ask for beside openid, if your issuer wants some")
	bare := flags.Bool("print", false, "print the token alone")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if (there.stack == "") == (*issuer == "") || (*issuer == "") != (*client == "") || flags.NArg() > 0 {
		return errors.New(signInUsage)
	}
	login := operate.Login{Issuer: *issuer, Client: *client, Web: &http.Client{Timeout: 20 * time.Second}, Now: time.Now}
	if there.stack != "" {
		account, stack, err := there.open(ctx)
		if err != nil {
			return err
		}
		if login, err = account.Login(stack); err != nil {
			return err
		}
	}
	login.Scopes = *scopes
	s, err := login.SignIn(ctx, func(address string) error {
		_, err := fmt.Fprintf(says, "Open this address in your browser, and sign in:\n\n%s\n\n", address)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(says, "Signed in as %s until %s.\n", s.Who, s.Until.Local().Format("15:04")); err != nil {
		return err
	}
	line := "export RIGHTSDESK_OPERATOR_KEY='" + s.Token + "'\n"
	if *bare {
		line = s.Token + "\n"
	}
	if strings.ContainsAny(s.Token, "'\n") {
		return errors.New("the issuer gave a token that is none")
	}
	_, err = io.WriteString(out, line)
	return err
}

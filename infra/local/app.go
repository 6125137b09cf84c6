package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/httpapi"
	"rightsdesk/shared/policy"
)

const appUsage = "usage: go run ./infra/local app [-url URL] [-data FOLDER] [-policy FILE] [-app ID] [-key IDEMPOTENCY-KEY] METHOD PATH [BODY]; " +
	"a BODY of - is read from the standard input"

// appCommand is the command `app METHOD PATH [BODY]`: it signs a call as an app of
// the policy does, with the key that the runner made for it, and writes the answer.
// With the key in RIGHTSDESK_APP_KEY it calls any installation.
func appCommand(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("app", flag.ContinueOnError)
	at := flags.String("url", "http://127.0.0.1:8080", "where the installation answers")
	dir := flags.String("data", ".local", "folder of the runner's keys")
	file := flags.String("policy", "", "policy file; without it, the sample company's")
	id := flags.String("app", "", "id of the app; without it, the first of the policy")
	attempt := flags.String("key", "", "Idempotency-Key of the call")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if n := flags.NArg(); n != 2 && n != 3 {
		return errors.New(appUsage)
	}
	var body []byte
	if body = []byte(flags.Arg(2)); flags.Arg(2) == "-" {
		var err error
		if body, err = io.ReadAll(in); err != nil {
			return fmt.Errorf("read the body: %w", err)
		}
	}
	app, key, err := appKey(*dir, *file, *id)
	if err != nil {
		return err
	}
	url, method, path := strings.TrimSuffix(*at, "/"), strings.ToUpper(flags.Arg(0)), flags.Arg(1)
	r, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(string(body)))
	if err != nil {
		return fmt.Errorf("the address %s: %w", url, err)
	}
	r.Header.Set("Content-Type", "application/json")
	if *attempt != "" {
		r.Header.Set("Idempotency-Key", *attempt)
	}
	r.Header.Set("Authorization", httpapi.SignApp(key, app, method, r.URL.RequestURI(), *attempt, theirTime(ctx, url), body))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("call the installation: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if _, err := io.Copy(out, resp.Body); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s answered %s", method, path, resp.Status)
	}
	return nil
}

// appKey returns an app of the policy and its newest key.
func appKey(dir, file, id string) (app string, key []byte, err error) {
	if own := os.Getenv("RIGHTSDESK_APP_KEY"); own != "" {
		if id == "" {
			return "", nil, errors.New("whose key is in RIGHTSDESK_APP_KEY? Say so with -app")
		}
		return id, []byte(own), nil
	}
	b := company.Policy
	if file != "" {
		if b, err = os.ReadFile(file); err != nil {
			return "", nil, fmt.Errorf("read the policy file: %w", err)
		}
	}
	pol, err := policy.Parse(b)
	if err != nil {
		return "", nil, fmt.Errorf("the policy file cannot be used:\n%w", err)
	}
	for _, a := range pol.Apps {
		if id != "" && a.ID != id {
			continue
		}
		secret, err := os.ReadFile(secretFile(dir, a.Secret))
		if err != nil {
			return "", nil, fmt.Errorf("read the app's key; the runner makes it when it starts: %w", err)
		}
		if keys := httpapi.AppKeys(string(secret)); len(keys) > 0 {
			return a.ID, keys[0], nil
		}
		return "", nil, fmt.Errorf("the secret of the app %s holds no key", a.ID)
	}
	return "", nil, errors.New("the policy has no such app; see apps in the policy file")
}

// theirTime is the time where the call goes: a runner's clock can be turned.
func theirTime(ctx context.Context, url string) time.Time {
	var clock struct {
		Now time.Time `json:"now"`
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/local/clock", nil)
	if err != nil {
		return time.Now()
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return time.Now() // the call itself will say why
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&clock) != nil || clock.Now.IsZero() {
		return time.Now() // no runner
	}
	return clock.Now
}

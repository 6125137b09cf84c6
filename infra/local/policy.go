package main

import (
	"errors"
	"fmt"
	"os"

	"rightsdesk/shared/policy"
)

// checkPolicy is the command `policy check FILE`.
func checkPolicy(args []string) error {
	if len(args) != 2 || args[0] != "check" {
		return errors.New("usage: go run ./infra/local policy check FILE")
	}
	b, err := os.ReadFile(args[1])
	if err != nil {
		return fmt.Errorf("read the policy file: %w", err)
	}
	p, err := policy.Parse(b)
	if err != nil {
		return fmt.Errorf("%s cannot be used:\n%w", args[1], err)
	}
	fmt.Printf("%s can be used: version %s, %d rights, %d sources.\n", args[1], p.Version, len(p.Rights), len(p.Sources))
	return nil
}

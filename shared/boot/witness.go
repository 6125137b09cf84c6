package boot

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// witness hears what services answered to the calls of one check. Adapters keep the
// services' words to themselves, because they may quote a person; a check asks for
// nobody, so its answers may be told.
type witness struct {
	mu       sync.Mutex
	answered int
	refused  []refusal
}

// refusal is a call that a service did not grant or could not do.
type refusal struct {
	action   string // as a policy of IAM spells it
	code     string
	resource string // as the service names it; often it does not
	because  string // what stands in the way, if the service says so
}

type witnessKey struct{}

func (w *witness) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, witnessKey{}, w)
}

func (w *witness) heard(action string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		if err == nil && !opens(action) {
			w.answered++
		}
		return
	}
	r := refusal{action: action, code: api.ErrorCode()}
	if m := forbidden.FindStringSubmatch(api.ErrorMessage()); m != nil {
		r.action, r.resource, r.because = m[1], m[2], m[3]
	}
	w.refused = append(w.refused, r)
}

// opens reports whether an action leads to what is tried, and is not part of it: who
// became a role, or read a secret, has reached nothing yet.
func opens(action string) bool {
	return strings.HasPrefix(action, "sts:") || strings.HasPrefix(action, "secretsmanager:")
}

// forbidden is how IAM words a refusal.
var forbidden = regexp.MustCompile(`is not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)(?: on resource: (\S+))?(?: ((?:because|with an explicit deny)[\w :,'-]*))?`)

// last returns the last refusal, which is the one that ended the check.
func (w *witness) last() (refusal, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.refused) == 0 {
		return refusal{}, false
	}
	return w.refused[len(w.refused)-1], true
}

func (w *witness) reached() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answered > 0 && len(w.refused) == 0
}

// watched lets a witness, if the context of a call has one, hear what became of it.
// It stands outside the client's own repetitions.
func watched(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Witness", func( //nolint:misspell // the SDK spells it so
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, meta, err := next.HandleInitialize(ctx, in)
		if w, ok := ctx.Value(witnessKey{}).(*witness); ok {
			w.heard(action(awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)), err)
		}
		return out, meta, err
	}), middleware.After)
}

// prefixes are what IAM calls the services that functions call, by the names of the SDK.
var prefixes = map[string]string{
	"Cognito Identity Provider": "cognito-idp", "CloudWatch Logs": "logs", "EventBridge": "events", "SESv2": "ses", "Secrets Manager": "secretsmanager",
}

// actions are the operations that IAM calls otherwise.
var actions = map[string]string{
	"s3:ListObjectsV2": "s3:ListBucket", "s3:ListObjects": "s3:ListBucket", "s3:HeadBucket": "s3:ListBucket", "s3:HeadObject": "s3:GetObject",
	"s3:ListObjectVersions": "s3:ListBucketVersions",
}

// action returns what a role needs to be allowed for an operation of a service.
func action(service, operation string) string {
	prefix, ok := prefixes[service]
	if !ok {
		prefix = strings.ToLower(strings.ReplaceAll(service, " ", ""))
	}
	a := prefix + ":" + operation
	if other, ok := actions[a]; ok {
		return other
	}
	return a
}

// detail is a refusal in words.
func (r refusal) detail() string {
	s := r.action
	if r.resource != "" {
		s += " on " + r.resource
	}
	s += " was answered with " + r.code
	if r.because != "" {
		s += " (" + r.because + ")"
	}
	return s
}

// next says what to do about a refusal.
func (r refusal) next(role string) string {
	switch {
	case r.action == "sts:AssumeRole":
		return "name this source's role in the stack's parameter SourceRoleArns, and the roles of fulfil and retention in the trust policy of the source's role"
	case strings.Contains(r.code, "AccessDenied") || r.code == "Forbidden" || strings.HasPrefix(r.code, "NotAuthorized"):
		return fmt.Sprintf("allow %s to %s", r.action, role)
	case strings.Contains(r.code, "NotFound") || strings.HasPrefix(r.code, "NoSuch"):
		return "compare the names and the region in the policy with what is in the account"
	}
	return "try again in a minute; if it stays so, look the code up in the service's own documentation"
}

func (r refusal) secretIsMissing() bool {
	return strings.HasPrefix(r.action, "secretsmanager:") && strings.Contains(r.code, "NotFound")
}

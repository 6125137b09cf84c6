package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// List prices of us-east-1 in dollars a month, to tell what stays costs about. Other
// regions take up to half as much again.
const (
	perTableGB    = 0.25
	perRecoveryGB = 0.20
	perBucketGB   = 0.023
	perKey        = 1.00
)

// keyWait is the longest that the key service waits before it destroys a key: the last
// time in which somebody can still say that it was a mistake.
const keyWait = 30

// Staying is a resource that outlives its stack.
type Staying struct {
	Resource

	Dollars float64 // a month, about
	Why     string
	Bytes   int64
}

// Teardown is what taking an installation down would do.
type Teardown struct {
	Stack *Stack
	Stays []Staying
}

// whyStays says what each kind is kept for.
var whyStays = map[string]string{
	"AWS::DynamoDB::Table":                        "what people asked for and chose, and the proof of what was done",
	"AWS::S3::Bucket":                             "packages, policies, sealed entries",
	"AWS::KMS::Key":                               "without it nothing sealed can ever be read again, in no copy either",
	"AWS::Cognito::UserPool":                      "operators and their second factors; deleting it deletes them",
	"AWS::Cognito::UserPoolGroup":                 "part of the pool, and goes with it",
	"AWS::Cognito::UserPoolUser":                  "part of the pool, and goes with it",
	"AWS::Cognito::UserPoolUserToGroupAttachment": "part of the pool, and goes with it",
	"AWS::SES::EmailIdentity":                     "other programs may write from it; it costs nothing",
}

// PlanTeardown says what would go and what would stay. It changes nothing. A stack that
// was deleted is named by its id.
func (a *Account) PlanTeardown(ctx context.Context, name string) (*Teardown, error) {
	s, err := a.Stack(ctx, name)
	if err != nil {
		return nil, err
	}
	out, err := cloudformation.NewFromConfig(a.AWS).GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &s.ID})
	if err != nil {
		return nil, fmt.Errorf("read the template of %s: %w", name, err)
	}
	var template struct {
		Resources map[string]struct{ DeletionPolicy string }
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.TemplateBody)), &template); err != nil {
		return nil, fmt.Errorf("the template of %s is no JSON: %w", name, err)
	}
	t := &Teardown{Stack: s}
	for _, r := range s.Resources {
		if !strings.HasPrefix(template.Resources[r.Logical].DeletionPolicy, "Retain") || r.Physical == "" {
			continue
		}
		if r.Type == "AWS::Lambda::Version" {
			continue // it is kept for its function alone, and goes with it
		}
		stays := Staying{Resource: r, Why: whyStays[r.Type]}
		if err := a.weigh(ctx, &stays); err != nil {
			return nil, err
		}
		t.Stays = append(t.Stays, stays)
	}
	slices.SortFunc(t.Stays, func(x, y Staying) int { return strings.Compare(x.Type+x.Logical, y.Type+y.Logical) })
	return t, nil
}

// weigh says what keeping a resource costs.
func (a *Account) weigh(ctx context.Context, r *Staying) error {
	const gb = 1 << 30
	switch r.Type {
	case "AWS::KMS::Key":
		r.Dollars = perKey
	case "AWS::DynamoDB::Table":
		d, err := dynamodb.NewFromConfig(a.AWS).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &r.Physical})
		if code(err) == "ResourceNotFoundException" {
			r.Why = "it is gone already"
			return nil
		}
		if err != nil {
			return fmt.Errorf("look at the table %s: %w", r.Physical, err)
		}
		r.Bytes = aws.ToInt64(d.Table.TableSizeBytes)
		r.Dollars = float64(r.Bytes) / gb * (perTableGB + perRecoveryGB)
	case "AWS::S3::Bucket":
		err := a.versions(ctx, r.Physical, func(_ []s3types.ObjectIdentifier, bytes int64) error { r.Bytes += bytes; return nil })
		if code(err) == "NoSuchBucket" {
			r.Why = "it is gone already"
			return nil
		}
		if err != nil {
			return fmt.Errorf("look into the bucket %s: %w", r.Physical, err)
		}
		r.Dollars = float64(r.Bytes) / gb * perBucketGB
	}
	return nil
}

// versions visits every version of every object, a page at a time.
func (a *Account) versions(ctx context.Context, bucket string, visit func([]s3types.ObjectIdentifier, int64) error) error {
	pages := s3.NewListObjectVersionsPaginator(a.s3(), &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var all []s3types.ObjectIdentifier
		bytes := int64(0)
		for _, v := range page.Versions {
			all = append(all, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
			bytes += aws.ToInt64(v.Size)
		}
		for _, m := range page.DeleteMarkers {
			all = append(all, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if err := visit(all, bytes); err != nil {
			return err
		}
	}
	return nil
}

func (a *Account) s3() *s3.Client {
	return s3.NewFromConfig(a.AWS, func(o *s3.Options) { o.UsePathStyle = a.AWS.BaseEndpoint != nil })
}

// Print says what would happen.
func (t *Teardown) Print(w io.Writer) error {
	var s strings.Builder
	gone := strings.HasPrefix(t.Stack.Status, "DELETE_COMPLETE")
	if gone {
		fmt.Fprintf(&s, "The stack %s is gone. What it left:\n\n", t.Stack.Name)
	} else {
		fmt.Fprintf(&s, "Deleting the stack %s ends everything that people can reach: pages, links in mails, intake.\n", t.Stack.Name)
		fmt.Fprintf(&s, "%d of its %d resources go with it. What stays, on purpose:\n\n", len(t.Stack.Resources)-len(t.Stays), len(t.Stack.Resources))
	}
	total := 0.0
	for _, r := range t.Stays {
		total += r.Dollars
		fmt.Fprintf(&s, "  %-28s %-8s %s\n", plain(r.Logical), fmt.Sprintf("$%.2f", r.Dollars), r.Physical)
		fmt.Fprintf(&s, "  %-28s %-8s %s\n", "", "", r.Why)
	}
	fmt.Fprintf(&s, "\nKeeping that costs about $%.2f a month, at the list prices of us-east-1.\n", total)
	s.WriteString("Secrets below " + t.Stack.Outputs["SecretNames"] + " are yours and stay too, at $0.40 a month each.\n")
	if !gone {
		s.WriteString("\nBefore: go run ./infra/local leave -stack " + t.Stack.Name + " -out DIR takes everything along in open formats.\n" +
			"With -delete the stack goes and this stays. With -purge this goes as well, and nobody can bring it back.\n")
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// ErrNotConfirmed says that what was typed is not what has to be.
var ErrNotConfirmed = errors.New("nothing was done: what was typed is not what was asked for")

// Confirmation is what has to be typed.
func (t *Teardown) Confirmation(purge bool) string {
	if purge {
		return "purge " + t.Stack.Name
	}
	return t.Stack.Name
}

// Delete deletes the stack, and with purge what it leaves. Typed has to be what
// Confirmation says. What it does it says, line by line.
func (a *Account) Delete(ctx context.Context, t *Teardown, purge bool, typed string, out io.Writer) error {
	if typed != t.Confirmation(purge) {
		return ErrNotConfirmed
	}
	if err := a.deleteStack(ctx, t.Stack, out); err != nil {
		return err
	}
	if !purge {
		return nil
	}
	// The key goes last: until then everything else can still be read, and be kept.
	order := []string{"AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"}
	var errs []error
	for _, kind := range order {
		for _, r := range t.Stays {
			if r.Type != kind {
				continue
			}
			if kind == "AWS::KMS::Key" && len(errs) > 0 {
				errs = append(errs, fmt.Errorf("%s stays until the rest is gone", r.Physical))
				continue
			}
			if err := a.remove(ctx, r, out); err != nil {
				errs = append(errs, fmt.Errorf("%s stays: %w", r.Physical, err))
			}
		}
	}
	for _, r := range t.Stays {
		if r.Type == "AWS::SES::EmailIdentity" {
			say := "%s stays: other programs may write from it. If none does: aws sesv2 delete-email-identity --email-identity %[1]s\n"
			if _, err := fmt.Fprintf(out, say, r.Physical); err != nil {
				return err
			}
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("not everything is gone; the same command with -stack %s goes on:\n%w", t.Stack.ID, errors.Join(errs...))
	}
	return nil
}

func (a *Account) deleteStack(ctx context.Context, s *Stack, out io.Writer) error {
	if s.Status == "DELETE_COMPLETE" {
		return nil
	}
	client := cloudformation.NewFromConfig(a.AWS)
	if s.Protected {
		_, err := client.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{StackName: &s.Name, EnableTerminationProtection: aws.Bool(false)})
		if err != nil {
			return fmt.Errorf("lift the stack's protection: %w", err)
		}
	}
	if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &s.ID}); err != nil {
		return fmt.Errorf("delete the stack: %w", err)
	}
	if _, err := fmt.Fprintf(out, "the stack %s is being deleted; its id, should you need it: %s\n", s.Name, s.ID); err != nil {
		return err
	}
	for range 360 { // an hour, which is as long as a distribution at the edge may take
		now, err := a.Stack(ctx, s.ID)
		if err != nil {
			return err
		}
		switch now.Status {
		case "DELETE_COMPLETE":
			_, err := fmt.Fprintln(out, "the stack is gone")
			return err
		case "DELETE_FAILED":
			return fmt.Errorf("the stack cannot be deleted: %s; see its events, mend the cause and say the same again", now.Why)
		}
		if err := a.wait(ctx, 10*time.Second); err != nil {
			return err
		}
	}
	return errors.New("the stack is still being deleted after an hour; see its events")
}

// remove deletes one resource that was kept.
func (a *Account) remove(ctx context.Context, r Staying, out io.Writer) error {
	var err error
	switch r.Type {
	case "AWS::DynamoDB::Table":
		err = a.removeTable(ctx, r.Physical)
	case "AWS::S3::Bucket":
		err = a.removeBucket(ctx, r.Physical)
	case "AWS::Cognito::UserPool":
		err = a.removePool(ctx, r.Physical)
	case "AWS::KMS::Key":
		_, err = kms.NewFromConfig(a.AWS).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &r.Physical, PendingWindowInDays: aws.Int32(keyWait)})
		if err == nil {
			_, err = fmt.Fprintf(out, "%s is destroyed in %d days; until then aws kms cancel-key-deletion takes that back\n", r.Physical, keyWait)
			return err
		}
	}
	switch code(err) {
	case "ResourceNotFoundException", "NoSuchBucket", "NotFoundException":
		err = nil // it was gone already
	case "KMSInvalidStateException":
		err = nil // it is about to be destroyed already
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s is gone\n", r.Physical)
	return err
}

func (a *Account) removeTable(ctx context.Context, name string) error {
	client := dynamodb.NewFromConfig(a.AWS)
	if _, err := client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(false)}); err != nil {
		return fmt.Errorf("lift the table's protection: %w", err)
	}
	for range 30 {
		_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
		if code(err) != "ResourceInUseException" { // lifting its protection takes a moment
			return err
		}
		if err := a.wait(ctx, 2*time.Second); err != nil {
			return err
		}
	}
	return errors.New("the table is in use; say the same again in a few minutes")
}

// errLocked says that a bucket does not let go what is in it. The service gives one
// answer to both.
var errLocked = errors.New("what is sealed in it is locked by its own rules until its days are over, or these credentials lack s3:DeleteObjectVersion or, under GOVERNANCE, s3:BypassGovernanceRetention")

// removeBucket empties a bucket, every version of everything, and deletes it.
func (a *Account) removeBucket(ctx context.Context, name string) error {
	client := a.s3()
	err := a.versions(ctx, name, func(all []s3types.ObjectIdentifier, _ int64) error {
		if len(all) == 0 {
			return nil
		}
		out, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &name, Delete: &s3types.Delete{Objects: all, Quiet: aws.Bool(true)},
			// Under GOVERNANCE whoever may, may; under COMPLIANCE this changes nothing.
			BypassGovernanceRetention: aws.Bool(true),
		})
		if err != nil {
			return fmt.Errorf("empty it: %w", err)
		}
		if len(out.Errors) == 0 {
			return nil
		}
		e := out.Errors[0]
		if aws.ToString(e.Code) == "AccessDenied" {
			return errLocked
		}
		return fmt.Errorf("empty it: %s: %s", aws.ToString(e.Code), aws.ToString(e.Message))
	})
	if err != nil {
		return err
	}
	_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	return err
}

func (a *Account) removePool(ctx context.Context, id string) error {
	client := cognitoidentityprovider.NewFromConfig(a.AWS)
	d, err := client.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &id})
	if err != nil {
		return err
	}
	// An update takes what it is not told for a wish to have the service's default.
	_, err = client.UpdateUserPool(ctx, &cognitoidentityprovider.UpdateUserPoolInput{
		UserPoolId: &id, DeletionProtection: cognitotypes.DeletionProtectionTypeInactive, MfaConfiguration: d.UserPool.MfaConfiguration,
	})
	if err != nil {
		return fmt.Errorf("lift the pool's protection: %w", err)
	}
	_, err = client.DeleteUserPool(ctx, &cognitoidentityprovider.DeleteUserPoolInput{UserPoolId: &id})
	return err
}

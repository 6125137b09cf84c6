package cost

// Price is what one unit of something costs, and how many units of it a month AWS gives
// to every account for nothing, without an end to the offer.
type Price struct {
	ID      string
	Service string
	Unit    string
	USD     float64
	Free    float64
	Source  Source
}

// Source says where a price comes from.
type Source struct{ Name, Read string }

// Where prices come from. A price that nobody has read lately says so: look before you
// rely on it.
var (
	cloudWatchPage = Source{"the service's price page", "2026-11-22"}
	dynamoDBPage   = Source{"the service's price page and developer guide", "2026-11-21"}
	known          = Source{"the service's price page", "not read again; as commonly known in 2026"}
)

// Region is whose prices these are.
const Region = "us-east-1"

const (
	million  = 1e6
	thousand = 1e3
)

// Prices is every price that the calculation uses. It is the only place where one stands.
var Prices = []Price{
	{"kms.key", "KMS", "key and month", 1, 0, known},
	{"kms.call", "KMS", "million calls", 3 / million, 20e3, known},
	{"cloudwatch.alarm", "CloudWatch", "metric of an alarm and month", 0.10, 10, cloudWatchPage},
	{"cloudwatch.metric", "CloudWatch", "metric of our own and month", 0.30, 10, cloudWatchPage},
	{"cloudwatch.dashboard", "CloudWatch", "dashboard and month", 3, 3, cloudWatchPage},
	{"logs.in", "CloudWatch Logs", "GB taken in", 0.50, 5, cloudWatchPage},
	{"logs.kept", "CloudWatch Logs", "GB kept for a month", 0.03, 0, known},
	{"sqs.call", "SQS", "million calls", 0.40 / million, 1e6, known},
	{"scheduler.run", "EventBridge Scheduler", "million runs", 1 / million, 14e6, known},
	{"events.event", "EventBridge", "million events of our own", 1 / million, 0, known},
	{"events.kept", "EventBridge", "GB kept in an archive for a month", 0.023, 0, known},
	{"lambda.run", "Lambda", "million runs", 0.20 / million, 1e6, dynamoDBPage},
	{"lambda.time", "Lambda", "GB-second on arm64", 0.0000133334, 400e3, dynamoDBPage},
	{"dynamodb.write", "DynamoDB", "million write units", 0.625 / million, 0, dynamoDBPage},
	{"dynamodb.read", "DynamoDB", "million read units", 0.125 / million, 0, dynamoDBPage},
	{"dynamodb.kept", "DynamoDB", "GB kept for a month", 0.25, 25, dynamoDBPage},
	{"dynamodb.recovery", "DynamoDB", "GB recoverable for a month", 0.20, 0, known},
	{"api.call", "API Gateway", "million calls of an HTTP API", 1 / million, 0, dynamoDBPage},
	{"ses.mail", "SES", "thousand mails", 0.10 / thousand, 0, known},
	{"s3.kept", "S3", "GB kept for a month", 0.023, 0, known},
	{"s3.write", "S3", "thousand writes or lists", 0.005 / thousand, 0, known},
	{"s3.read", "S3", "thousand reads", 0.0004 / thousand, 0, known},
	{"cognito.user", "Cognito", "user who signs in in a month", 0.015, 10e3, known},
	{"secrets.secret", "Secrets Manager", "secret and month", 0.40, 0, known},
	{"secrets.call", "Secrets Manager", "million calls", 5 / million, 0, known},
	{"cloudfront.call", "CloudFront", "million calls over HTTPS", 1 / million, 10e6, known},
	{"sns.mail", "SNS", "thousand mails about alarms", 0.02 / thousand, 1e3, known},
}

// priceOf returns a price; a name that is not in the table is a mistake of ours.
func priceOf(id string) Price {
	for _, p := range Prices {
		if p.ID == id {
			return p
		}
	}
	panic("cost: there is no price " + id)
}

// Shown is the price of the unit that Unit names: a million calls, not one.
func (p Price) Shown() float64 {
	switch {
	case len(p.Unit) > 8 && p.Unit[:8] == "million ":
		return p.USD * million
	case len(p.Unit) > 9 && p.Unit[:9] == "thousand ":
		return p.USD * thousand
	}
	return p.USD
}

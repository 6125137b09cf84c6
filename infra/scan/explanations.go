package main

// explanations are every reason for which a finding stays. The first that fits counts.
var explanations = []explanation{
	{
		rules: []string{"AwsSolutions-APIG4", "CT.APIGATEWAY.PR.5"},
		at:    []string{"Route*"}, but: []string{"Route*v1operator*"},
		why: "People who ask for their data have no account with us. What lets them in is checked by the function: a mailed link, a receipt, an app's signature. " +
			"Operators' routes are none of these; TestOperatorsRoutesAndNoOthersHaveTheAuthorizer holds both.",
	},
	{
		rules: []string{"AwsSolutions-S1", "CT.S3.PR.2", "CT.S3.PR.4"},
		at:    []string{"AWS::S3::Bucket"},
		why: "A log of reads would say when somebody fetched their data, and keep it in a bucket that needs a log in turn; nothing listens to these buckets. " +
			"An account that wants it has data events of its trail, over all buckets alike.",
	},
	{
		rules: []string{"CT.CLOUDWATCH.PR.3", "CT.DYNAMODB.PR.2", "CT.S3.PR.10"},
		at:    []string{"AWS::Logs::LogGroup", "AWS::DynamoDB::Table", "AWS::S3::Bucket"},
		why: "Personal fields and packages are sealed before they are stored, with a key ring that the customer's own key wraps. A second key under the same account's roof " +
			"would cost a call for each item and protect from nobody new. The rest is encrypted with the services' keys.",
	},
	{
		rules: []string{"CT.CLOUDWATCH.PR.2"},
		at:    []string{"AWS::Logs::LogGroup"},
		why:   "How long logs are kept is the parameter LogDays, and a month by default: they are for finding faults. What has to be proven for years is in the audit chain, not in logs.",
	},
	{
		rules: []string{"CT.LAMBDA.PR.3"},
		at:    []string{"AWS::Lambda::Function"},
		why: "A network of one's own keeps functions from being reached, and they cannot be reached: none has an address but the API's. What they may reach is bounded by their roles. " +
			"It would cost an endpoint for each of seven services, each hour.",
	},
	{
		rules: []string{
			"AwsSolutions-IAM5[Resource::<Exports.Arn>/*]", "AwsSolutions-IAM5[Resource::<Checkpoints.Arn>/*]",
			"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:<AWS::StackName>/*]",
			"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:<AWS::StackName>/apps/*]",
			"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::<BucketName>/<BucketFolder>*]", "AwsSolutions-IAM5[Resource::<TableArn>/index/*]",
			"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*]",
		},
		at: []string{"AWS::IAM::Role", "AWS::IAM::Policy"},
		why: "Objects of one bucket, indexes of one table and secrets below one name are not known when the role is made, secrets get a random end, and in the sandbox the mail service asks " +
			"about the recipient's identity; the sender is bound by a condition. Which role has which is held by " +
			"TestNoWildcards, TestAFunctionMayDoWhatItsEntrySays and TestTheRoleOfADataStoreMayDoWhatTheDocumentationSays.",
	},
	{
		rules: []string{"AwsSolutions-IAM5[Resource::*]", "Serverless-LambdaStarPermissions"},
		at:    []string{"RelayRole", "MayLogs", "MaileventsSuppressions"},
		why: "dynamodb:ListStreams, without which no function reads a stream, logs:DescribeLogGroups, by which the retention of one is checked, and ses:ListSuppressedDestinations, " +
			"by which a bounce is found whose event was lost, know no resources. The first two tell names, and nothing of what is in them; of the third nothing is kept but of people who are known already.",
	},
	{
		rules: []string{"AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy", "CT.SQS.PR.1"},
		at:    []string{"*DeadLetters", "Lost"},
		why:   "These are the dead-letter queues. Each has an alarm, and a message stays fourteen days; TestEveryQueueHasADeadLetterQueueOrIsOne knows them from the others.",
	},
	{
		rules: []string{"Serverless-LambdaDLQ", "Serverless-LambdaEventSourceMappingDestination"},
		at:    []string{"AWS::Lambda::Function", "FulfilQueue", "*Events"},
		why: "Nothing is handed to a function that is lost with it: requests are answered, messages go back to their queue and from there to its dead-letter queue, " +
			"and what a schedule starts is found again by the next run, whose silence rings.",
	},
	{
		rules: []string{"Serverless-LambdaTracing"},
		at:    []string{"AWS::Lambda::Function"},
		why:   "Traces would be a further store of who asked when, with a retention that nobody can set. Lines of the log carry the same id from one function to the next.",
	},
	{
		rules: []string{"CT.S3.PR.11", "CT.S3.PR.9", "CT.S3.PR.3", "CT.S3.PR.6"},
		at:    []string{"Exports", "Policies", "Checkpoints"},
		why: "A package that is erased has to be gone: no version and no lock may keep it. A policy holds nothing of people and has versions; " +
			"whoever publishes a wrong one has to be able to take it out. The checkpoints, which have to stay, are locked, and no rule of a life cycle deletes them.",
	},
	{
		rules: []string{"CT.LAMBDA.PR.2", "W1001", "W1030", "F3014", "AwsSolutions-CFR4", "CT.CLOUDFRONT.PR.6", "CT.CLOUDFRONT.PR.7", "CT.CLOUDFRONT.PR.9", "CT.KMS.PR.3"},
		at: []string{
			"AWS::Lambda::Permission", "AWS::CloudWatch::Alarm", "AWS::IAM::Role", "AWS::Lambda::Function", "Edge", "MasterKey",
			"Address", "AlarmsGoTo", "DnsTarget", "SignIn*",
		},
		why: "The rules read literals, and here a choice stands: parameters that may stay blank under a condition that they are given, one of two certificates (TLS 1.2 and SNI with the operator's own), " +
			"a source put together of parts, a key policy that denies no grants because its list of actions has none. TestTheOperatorsDomainIsTheOnlyDoor, TestTheEdgeKeepsNothingLogsNothingAndHasItsFirewall and TestOnlyThisAPIInvokesFunctions read them.",
	},
	{
		rules: []string{"AwsSolutions-CFR1", "AwsSolutions-CFR3", "CT.CLOUDFRONT.PR.1", "CT.CLOUDFRONT.PR.4", "CT.CLOUDFRONT.PR.5"},
		at:    []string{"Edge"},
		why: "The edge passes everything to one API and is there for its firewall. It logs nothing, because addresses hold people's links; rights do not end at a border; " +
			"the API answers / itself, and there is no second one to fail over to.",
	},
	{
		rules: []string{"AwsSolutions-COG8", "AwsSolutions-SMG4", "Serverless-SNSRedrivePolicy", "I9040", "I3011"},
		at:    []string{"OperatorPool", "EdgeSecret", "AlarmMail", "Dashboard", "Firewall"},
		why: "More of a service than this needs. The pool has a handful of users whom an operator made and who all have a second factor: its dearest plan adds what watches over passwords. " +
			"The edge's secret opens nothing but the way around a firewall, two are taken while it is changed, and it goes with its edge. A mail that could not be handed over stays an alarm on the dashboard, " +
			"and the dashboard, one of three that are free, costs nothing that a tag would sort; the firewall is alone in its stack, whose tags say whose it is.",
	},
	{
		rules: []string{"W3005", "I1022", "I4010", "I9001"},
		at:    []string{"*"},
		why: "No faults: how the CDK writes a template (a dependency said twice, texts put together by Join, no picture of its architecture), and an inventory of what an update would replace. " +
			"infra/release compares that between two versions.",
	},
}

# Rightsdesk. `make help` says what each target does; README.md says where to begin.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN       := $(CURDIR)/.bin
GOLANGCI  := $(BIN)/golangci-lint
DYNOXIDE  := $(BIN)/dynoxide
GOLANGCI_VERSION := v2.15.0
DYNOXIDE_VERSION := 3.2.0
# The CLI must know the schema of the assembly that our CDK library writes; 3.0.0 refuses it.
CDK_VERSION := 2.1148.1
# jsii says at every start that this Node is old; the number is Node's major version.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.PHONY: help run test race lint scan fuzz prove synth diff template docs tools functions clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## run the whole product on http://127.0.0.1:8080, with data in .local
	@go run ./infra/local

test: $(DYNOXIDE) ## test everything that can be proven without an AWS account, and say what was not run
	@bash .ci/test

race: $(DYNOXIDE) ## the Go tests again, with the race detector, in random order
	go test -race -shuffle=on -count=1 ./shared/... ./infra/local/...

lint: $(GOLANGCI) ## check style, architecture and security rules
	$(GOLANGCI) run ./...

scan: ## judge the templates by other people's rules; needs Node and Python
	@bash .ci/scan

fuzz: ## fuzz every target for FUZZTIME inputs each (50000x)
	@bash .ci/fuzz

prove: $(DYNOXIDE) ## measure the bars at their full size; takes an hour
	RIGHTSDESK_PROVE=full go test -count=1 -timeout 120m -v -run 'TestProve|TestBar' ./infra/local/... ./shared/table/... ./shared/consent/... ./shared/request/... ./shared/retention/...

synth: ## make the CloudFormation template in cdk.out; needs Node
	npx --yes aws-cdk@$(CDK_VERSION) synth --quiet

diff: ## show what a deployment would change; needs Node and an AWS account
	npx --yes aws-cdk@$(CDK_VERSION) diff

template: ## make a release in dist: VERSION=1.2.3 BUCKET=what-the-buckets-begin-with [KEY=file that signs]
	@go run ./infra/release template -version "$(VERSION)" -bucket "$(BUCKET)" $(if $(KEY),-key "$(KEY)")

docs: ## write the documents that are made of the template
	@go run ./infra/release docs

functions: ## build every Lambda as it is deployed, into dist
	@for f in functions/*/; do n=$$(basename $$f); mkdir -p dist/$$n; \
	  CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -tags lambda.norpc -trimpath -buildvcs=false -ldflags '-s -w -buildid=' -o dist/$$n/bootstrap ./functions/$$n; \
	  echo "dist/$$n/bootstrap $$(stat -c %s dist/$$n/bootstrap) bytes"; done

tools: $(DYNOXIDE) $(GOLANGCI) ## install the tools that test and lint need, into .bin

$(DYNOXIDE): # the independent DynamoDB that judges our adapter; built to be ready soon, not to be fast
	@command -v cargo >/dev/null || { echo "make: Cargo is needed to build Dynoxide; get it from https://rustup.rs" >&2; exit 1; }
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
	  cargo install dynoxide-rs --version $(DYNOXIDE_VERSION) --locked --no-default-features --features native-sqlite,http-server,cli --root $(BIN)/cargo --quiet
	@mkdir -p $(BIN) && cp $(BIN)/cargo/bin/dynoxide $(DYNOXIDE)

$(GOLANGCI):
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

clean: ## delete what run, test and synth made; .local, with its data, stays
	rm -rf cdk.out dist

# The verbs of the project; longer ones are scripts in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test soak lint fmt release clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: ## build, then serve on http://localhost:1500 with the embedded database (data/switchboard.db)
	@scripts/setup rust
	cargo build
	cargo run --quiet -- serve

test: ## run all tests: Rust and end to end, on SQLite and on a temporary PostgreSQL
	@scripts/test

soak: ## verify the packages of the two crates, run all tests in their long form (hours), and every fuzz target
	cargo package --quiet --allow-dirty -p actix-engineio -p actix-socketio
	@SOAK=1 scripts/test
	@scripts/fuzz

lint: ## check formatting, clippy and rustdoc (warnings are errors), the rules of crates/lint, licences and lock files
	@scripts/setup rust lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps
	scripts/check-lock-files
	scripts/lint

fmt: ## format the Rust sources
	@scripts/setup rust lint
	cargo fmt --all

release: ## build the release binary: target/release/switchboard
	@scripts/setup rust
	cargo build --release

clean: ## remove build output and installed packages; keeps data/
	cargo clean
	rm -rf tests/e2e/node_modules crates/socketio/tests/stock/node_modules

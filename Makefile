# SPDX-License-Identifier: MIT
# A front for people used to make; meson does the work.

all:
	@devtools/build build

debug:
	@devtools/build build-debug -Dbuildtype=debug -Db_sanitize=address,undefined

test:
	@./runtests

lint:
	@for check in layers spdx shell format; do devtools/check-$$check || exit; done
	@devtools/fn-lengths

format:
	@devtools/check-format --fix

clean:
	rm -rf build build-debug build-test build-test-sanitize build-test-thread

quickstart:
	@./quickstart

.PHONY: all debug test lint format clean quickstart

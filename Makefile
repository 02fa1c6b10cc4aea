# RpOrleans by its verbs; `make help` lists them.
COMPOSE := $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
SILOS ?= 3
MINUTES ?= 60
SECONDS ?= 600
SEED ?= $(shell date +%s)

.DEFAULT_GOAL := help
.PHONY: help build run stop restart test check bench soak coherence planted

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

build: ## builds the container images
	$(COMPOSE) build

run: ## starts gateway, Redis and SILOS nodes (3) as containers, in the background
	$(COMPOSE) up -d --scale silo=$(SILOS)

stop: ## stops them, and forgets what they held
	$(COMPOSE) down -v

restart: ## stop, build, run
	$(MAKE) stop
	$(MAKE) build
	$(MAKE) run

test: ## end to end: builds, starts, asks and stops containers of its own, 5 entries a node and 10 s an entry
	RECORD_CAPACITY=5 RECORD_EXPIRY=10 tests/compose/run

check: ## every test
	./test.sh

bench: ## measures it beside what else one could put in front of Redis; about an hour, as reckoned from shorter runs
	bench/run

soak: ## repeats the fault tests with real processes for MINUTES (60), until one fails
	dotnet build -c Release
	end=$$(($$(date +%s) + 60 * $(MINUTES))); while [ $$(date +%s) -lt $$end ]; do \
	  CHECKER_SEED=$$(date +%s) RPORLEANS_REQUIRE_ALL=1 dotnet test RpOrleans.sln -c Release --no-build --filter FullyQualifiedName~Processes || exit 1; done

coherence: ## judges all that readers see while everything goes wrong, for SECONDS (600), by SEED (the time)
	dotnet run -c Release --project tests/Checker -- --seconds $(SECONDS) --seed $(SEED) --readers 9

planted: ## shows that the checker finds bugs: those of tests/Planted
	RPORLEANS_REQUIRE_ALL=1 dotnet test RpOrleans.sln -c Release --filter FullyQualifiedName~PlantedBug

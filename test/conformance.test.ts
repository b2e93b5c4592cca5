import { defineConformanceSuite } from './cluster/conformance/define-suite.ts';
import { scenarios } from './cluster/scenarios/scenarios.ts';

await defineConformanceSuite(scenarios);

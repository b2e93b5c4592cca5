import { defineConformanceSuite } from '../conformance/define-suite.ts';
import { scenarios } from './scenarios.ts';

await defineConformanceSuite(scenarios);

import { z } from 'zod';
import { checkOptions } from '../check-options.ts';
import type { AccessAttributes, ComputedAttributes } from './access-attributes.ts';
import { type FaultOf, nonResourceFaults, resourceFaults } from './attribute-faults.ts';

/** Checked attributes, ready to be asked about and looked up. */
export interface AccessQuestion {
  readonly attributes: AccessAttributes;
  /** The same for equal attributes, and only for them. */
  readonly key: string;
}

/** A value from a request that can be no question: the request is malformed. */
export class MalformedAttributes extends Error {
  static {
    this.prototype.name = 'MalformedAttributes';
  }
}

const optional = new Set(['subresource', 'namespace', 'name']);
/** Where an author may mean "all": RBAC then wants a rule with `*`. */
const mayBeAll = new Set(['verb', 'group', 'resource']);

const schemaOf = (faults: Readonly<Record<string, FaultOf>>): z.ZodObject =>
  z.strictObject(
    Object.fromEntries(
      Object.entries(faults).map(([key, faultOf]) => {
        const value = z.string({ error: 'expected a string' }).superRefine((text, context) => {
          const fault = isSpecial(key, text) ? undefined : text === '' ? 'is empty' : faultOf(text);
          if (fault !== undefined) context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${fault}` });
        });
        return [key, optional.has(key) ? value.optional() : value];
      }),
    ),
  );

const resourceSchema = schemaOf(resourceFaults);
const nonResourceSchema = schemaOf(nonResourceFaults);

const isSpecial = (key: string, text: string): boolean =>
  (text === '*' && mayBeAll.has(key)) || (text === '' && key === 'group');

/**
 * The question that an author writes down: an optional attribute that is left out means any.
 *
 * @throws {TypeError} for attributes that are unknown, missing or wrong
 */
export function accessQuestion(attributes: unknown, functionName: string): AccessQuestion {
  const isPath = typeof attributes === 'object' && attributes !== null && 'path' in attributes;
  const checked = checkOptions(isPath ? nonResourceSchema : resourceSchema, attributes, functionName);
  return questionOf(checked as unknown as AccessAttributes);
}

/**
 * The question that a function computed from a request; `undefined` where the request lacks a part of it.
 *
 * @throws {MalformedAttributes} for a string that Kubernetes' bounds rule out
 * @throws {TypeError} for attributes that are unknown or missing, which only the function can be to blame for
 */
export function computedQuestion(attributes: ComputedAttributes, functionName: string): AccessQuestion | undefined {
  if (attributes === undefined) return undefined;
  if (typeof attributes !== 'object' || attributes === null) {
    throw new TypeError(`${functionName}: the function returned ${typeof attributes}, and no attributes`);
  }
  const isPath = 'path' in attributes;
  const faults: Readonly<Record<string, FaultOf>> = isPath ? nonResourceFaults : resourceFaults;
  let known = 0;
  let isComplete = true;
  // A copy, so that what was checked is what is asked about.
  const copy: Record<string, unknown> = { ...attributes };
  for (const key of isPath ? nonResourceKeys : resourceKeys) {
    const value = copy[key];
    if (value === undefined && !Object.hasOwn(copy, key)) {
      if (optional.has(key)) continue;
      throw new TypeError(`${functionName}: the function returned no ${key}`);
    }
    known += 1;
    if (typeof value !== 'string' || (value === '' && key !== 'group')) {
      isComplete = false;
      continue;
    }
    const fault = value === '' ? undefined : faults[key]?.(value);
    if (fault !== undefined) throw new MalformedAttributes(`the ${key} ${fault}`);
  }
  const keys = Object.keys(copy);
  if (keys.length > known) {
    const unknown = keys.find((key) => !Object.hasOwn(faults, key));
    throw new TypeError(`${functionName}: there is no attribute ${JSON.stringify(unknown)}`);
  }
  return isComplete ? questionOf(copy as unknown as AccessAttributes) : undefined;
}

const resourceKeys = Object.keys(resourceFaults);
const nonResourceKeys = Object.keys(nonResourceFaults);

/** The object is ours alone. No attribute has a line break, and none that is there is empty but the group. */
function questionOf(attributes: AccessAttributes): AccessQuestion {
  return { attributes: Object.freeze(attributes), key: keyOf(attributes) };
}

function keyOf(attributes: AccessAttributes): string {
  if ('path' in attributes) return `${attributes.verb}\n${attributes.path}`;
  const { verb, group, resource, subresource = '', namespace = '', name = '' } = attributes;
  return `${verb}\n${group}\n${resource}\n${subresource}\n${namespace}\n${name}`;
}

/** In the words of `kubectl auth can-i`: `get orders.orders.example.com/status "7" in namespace shop`. */
export function described(attributes: AccessAttributes): string {
  if ('path' in attributes) return `${attributes.verb} ${attributes.path}`;
  const { verb, group, resource, subresource, namespace, name } = attributes;
  return [
    `${verb} ${resource}${group && `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`,
    ...(name === undefined ? [] : [JSON.stringify(name)]),
    ...(namespace === undefined ? [] : [`in namespace ${namespace}`]),
  ].join(' ');
}

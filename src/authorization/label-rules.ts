import { isSubdomain, subdomainRule } from '../authentication/kubernetes-names.ts';

const maxBytes = 63;
const nameOfLabel = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const nameFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const consist =
  "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const keyRule = `must ${consist} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${nameFormat}')`;
const valueRule = `a valid label must be an empty string or ${consist} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${nameFormat})?')`;
const tooLong = `must be no more than ${maxBytes} bytes`;
const empty = 'must be non-empty';

/** Why a label may not have this key, in Kubernetes' words. */
export function labelKeyProblems(key: string): string[] {
  const slash = key.lastIndexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix?.includes('/')) {
    return [`a valid label key ${keyRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  return [
    ...(prefix === '' ? [`prefix part ${empty}`] : []),
    ...(prefix && !isSubdomain(prefix) ? [`prefix part ${subdomainRule}`] : []),
    ...(name === '' ? [`name part ${empty}`] : []),
    ...(name.length > maxBytes ? [`name part ${tooLong}`] : []),
    ...(nameOfLabel.test(name) ? [] : [`name part ${keyRule}`]),
  ];
}

/** Why a label may not have this value, in Kubernetes' words. */
export function labelValueProblems(value: string): string[] {
  return [
    ...(value.length > maxBytes ? [tooLong] : []),
    ...(value === '' || nameOfLabel.test(value) ? [] : [valueRule]),
  ];
}

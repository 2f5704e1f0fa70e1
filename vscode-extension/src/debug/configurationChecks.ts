import { editDistance } from '../text';

/** The part of JSON Schema that the debugger's contribution in package.json uses. */
export interface Schema {
    properties: { [name: string]: Property };
    required?: string[];
}
interface Property { type: string | string[]; enum?: string[]; minimum?: number; maximum?: number; pattern?: string; patternErrorMessage?: string; maxItems?: number }

/** Fields that VS Code has for every type of debugger. */
const GENERAL = ['type', 'request', 'name', 'preLaunchTask', 'postDebugTask', 'internalConsoleOptions', 'debugServer', 'serverReadyAction', 'presentation', 'linux', 'osx',
    'windows', 'suppressMultipleSessionWarning', 'noDebug', 'console'];

/** What is wrong with a configuration, in a sentence that says what to do; undefined when nothing is. */
export function checkConfiguration(configuration: { [name: string]: unknown }, schemas: { [request: string]: Schema }): string | undefined {
    const request = String(configuration.request);
    const schema = Object.hasOwn(schemas, request) ? schemas[request] : undefined;
    if (!schema) return `"request" is "launch" or "attach", not "${request}".`;
    // VS Code adds its own fields to the schema at run time.
    const known = Object.keys(schema.properties).filter(name => !GENERAL.includes(name) && schema.properties[name].type !== undefined);
    for (const name of Object.keys(configuration)) {
        if (known.includes(name) || GENERAL.includes(name) || name.startsWith('__')) continue;
        const nearest = known.map(other => ({ other, distance: editDistance(name.toLowerCase(), other.toLowerCase()) })).sort((a, b) => a.distance - b.distance)[0];
        return nearest.distance <= 3 ? `ttvm does not know "${name}". Did you mean "${nearest.other}"?` : `ttvm does not know "${name}". It knows ${known.join(', ')}.`;
    }
    for (const name of schema.required ?? [])
        if (configuration[name] === undefined || configuration[name] === '')
            return name === 'program' ? '"program" is missing: name the recording (NAME.ttvm) to replay, or the kernel or disk to record.' : `"${name}" is missing.`;
    if (request === 'attach' && configuration.port === undefined && configuration.pipe === undefined)
        return '"port" or "pipe" is missing: where `ttvm record --dap` listens.';
    for (const name of known) {
        const problem = configuration[name] === undefined ? undefined : checkValue(name, configuration[name], schema.properties[name]);
        if (problem) return problem;
    }
    return undefined;
}

function checkValue(name: string, value: unknown, property: Property): string | undefined {
    const types = [property.type].flat();
    if (!types.some(type => hasType(value, type))) return `"${name}" has to be ${types.map(type => `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`).join(' or ')}, not ${JSON.stringify(value)}.`;
    if (property.enum && !property.enum.includes(value as string)) return `"${name}" is ${property.enum.map(each => `"${each}"`).join(' or ')}, not "${value}".`;
    if (typeof value === 'number' && (value < (property.minimum ?? value) || value > (property.maximum ?? value)))
        return `"${name}" is ${value}, but has to be ${property.maximum === undefined ? `at least ${property.minimum}` : `from ${property.minimum} to ${property.maximum}`}.`;
    if (property.pattern && typeof value === 'string' && !new RegExp(property.pattern).test(value)) return `"${name}" is "${value}". ${property.patternErrorMessage ?? ''}`;
    if (Array.isArray(value) && value.length > (property.maxItems ?? Infinity)) return `"${name}" has ${value.length} items, at most ${property.maxItems}.`;
    if (Array.isArray(value) && value.some(item => typeof item !== 'string')) return `"${name}" has to be a list of strings.`;
    return undefined;
}

function hasType(value: unknown, type: string): boolean {
    switch (type) {
        case 'array': return Array.isArray(value);
        case 'integer': return Number.isInteger(value);
        case 'object': return typeof value === 'object' && value !== null && !Array.isArray(value);
        default: return typeof value === type;
    }
}

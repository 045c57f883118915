import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const services = readdirSync(path.join(root, 'services')).filter((name) => name !== 'shared');

/** What each layer of `services/shared` may import of ours. */
const layers: Readonly<Record<string, readonly string[]>> = {
  base: ['base'],
  domain: ['base', 'domain'],
  codec: ['base', 'codec'],
  runtime: ['base', 'codec', 'runtime'],
  adapters: ['base', 'codec', 'runtime', 'adapters'],
};

/** Effects that a pure layer must not have. */
const effectful = [/^node:(fs|net|http|https|child_process|worker_threads|timers|os|process)/];

interface SourceFile {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources = [...walk('services'), ...walk('scripts')];

describe('imports', () => {
  it('finds the code', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(services.sort()).toEqual(['cec-validation', 'certificate', 'dedup', 'gateway', 'ledger-writer']);
  });

  it.each(Object.keys(layers))('services/shared/%s imports only the layers below it', (layer) => {
    const wrong = sources
      .filter(({ file }) => file.startsWith(`services/shared/${layer}/`) && !file.endsWith('.test.ts'))
      .flatMap(({ file, imports }) =>
        imports
          .map((target) => resolve(file, target))
          .filter((target) => target?.startsWith('services/') || target?.startsWith('scripts/'))
          .filter((target) => !layers[layer]!.includes(layerOf(target!)))
          .map((target) => `${file} -> ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it.each(services)('%s imports its own folder and shared, never another service', (service) => {
    const wrong = sources
      .filter(({ file }) => file.startsWith(`services/${service}/`) && !file.endsWith('.test.ts'))
      .flatMap(({ file, imports }) =>
        imports
          .map((target) => resolve(file, target))
          .filter((target) => target !== undefined)
          .filter(
            (target) => !target.startsWith(`services/${service}/`) && !target.startsWith('services/shared/'),
          )
          .map((target) => `${file} -> ${target}`),
      );
    expect(wrong).toEqual([]);
  });
});

describe('purity', () => {
  const pure = sources.filter(
    ({ file }) => file.startsWith('services/shared/domain/') && !file.endsWith('.test.ts'),
  );

  it('the domain has no input, output or environment', () => {
    const wrong = pure.flatMap(({ file, imports }) =>
      imports
        .filter((target) => effectful.some((effect) => effect.test(target)))
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('the domain has no clock and no chance', () => {
    const clock = /\bDate\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|randomUUID|process\./;
    expect(pure.filter(({ text }) => clock.test(withoutComments(text))).map(({ file }) => file)).toEqual([]);
  });

  it('the environment is read in entry files and the service runtime only', () => {
    const allowed = /(^scripts\/)|(\/main\.ts$)|(^services\/shared\/runtime\/service\.ts$)/;
    const readers = sources
      .filter(({ file, text }) => /process\.env/.test(withoutComments(text)) && !file.endsWith('.test.ts'))
      .map(({ file }) => file);
    expect(readers.filter((file) => !allowed.test(file))).toEqual([]);
  });
});

describe('dependencies', () => {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };

  it('are pinned exactly', () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('of services are runtime dependencies, and every one of those is used by a service', () => {
    const used = new Set(
      sources
        .filter(({ file }) => file.startsWith('services/') && !file.endsWith('.test.ts'))
        .flatMap(({ imports }) => imports)
        .filter((target) => !target.startsWith('.') && !target.startsWith('#') && !isBuiltin(target))
        .map(packageOf),
    );
    expect([...used].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });
});

function walk(folder: string): SourceFile[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const name = path.posix.join(folder, file.split(path.sep).join('/'));
      const text = readFileSync(path.join(root, name), 'utf8');
      return { file: name, text, imports: importsOf(text) };
    });
}

function importsOf(text: string): string[] {
  const patterns = [/\bfrom\s+'([^']+)'/g, /\bimport\(\s*'([^']+)'/g, /^import\s+'([^']+)'/gm];
  return patterns.flatMap((pattern) =>
    [...withoutComments(text).matchAll(pattern)].map((match) => match[1]!),
  );
}

/** The file that an import means, relative to the root; undefined for packages. */
function resolve(file: string, target: string): string | undefined {
  if (target.startsWith('.')) return path.posix.join(path.posix.dirname(file), target);
  if (!target.startsWith('#')) return undefined;
  const [alias, ...rest] = target.slice(1).split('/');
  const folder = alias === 'scripts' || alias === 'test' ? alias : `services/${alias}`;
  return [folder, ...rest].join('/');
}

function layerOf(target: string): string {
  return target.startsWith('services/shared/') ? target.split('/')[2]! : target;
}

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

function isBuiltin(target: string): boolean {
  return target.startsWith('node:') || builtinModules.includes(target);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

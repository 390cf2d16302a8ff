import type { CodegenConfig } from '@graphql-codegen/cli'

// Typed documents for the tests, made as a frontend would make them.
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: 'schema/operations/*.graphql',
  generates: {
    'test/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        scalars: { DateTime: 'string', JSON: 'unknown' },
        importExtension: '.ts',
      },
    },
  },
}

export default config

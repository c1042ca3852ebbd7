import { banListRule } from './rules/ban-list.ts'
import { capabilitiesRule } from './rules/capabilities.ts'
import { cyclesRule } from './rules/cycles.ts'
import { deadCodeRule } from './rules/dead-code.ts'
import { deepImportsRule } from './rules/deep-imports.ts'
import { dependenciesRule } from './rules/dependencies.ts'
import { docCommentsRule } from './rules/doc-comments.ts'
import { domainPurityRule } from './rules/domain-purity.ts'
import { errorCodesRule } from './rules/error-codes.ts'
import { floorsRule } from './rules/floors.ts'
import { goldenRule } from './rules/golden.ts'
import { indexFormRule } from './rules/index-form.ts'
import { leftoversRule } from './rules/leftovers.ts'
import { lengthsRule } from './rules/lengths.ts'
import { lockFileRule } from './rules/lock-file.ts'
import { namesRule } from './rules/names.ts'
import { parametersRule } from './rules/parameters.ts'
import { readmesRule } from './rules/readmes.ts'
import { serviceLayersRule } from './rules/service-layers.ts'
import type { Rule } from './tree.ts'

/** All rules, those about structure first. */
export const rules: readonly Rule[] = [
  floorsRule,
  serviceLayersRule,
  domainPurityRule,
  deepImportsRule,
  cyclesRule,
  dependenciesRule,
  lockFileRule,
  namesRule,
  indexFormRule,
  lengthsRule,
  parametersRule,
  banListRule,
  deadCodeRule,
  docCommentsRule,
  errorCodesRule,
  readmesRule,
  capabilitiesRule,
  leftoversRule,
  goldenRule,
]

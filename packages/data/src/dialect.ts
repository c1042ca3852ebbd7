/** Whose SQL is spoken. The set is closed: every statement has a text for each. */
export type SqlDialectName = 'sqlite' | 'postgres'

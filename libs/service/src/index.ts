export * from './config.js';
export * from './log-context.js';
export { createLogger, logFormat, NestLogger } from './logger.js';
export { metrics } from './metrics.js';
export * from './migration-directories.js';
export { addProbes, Degraded, NotReady, Readiness, type ReadinessCheck } from './probes.js';
export * from './service.js';
export * from './startup-error.js';
export * from './tracing.js';

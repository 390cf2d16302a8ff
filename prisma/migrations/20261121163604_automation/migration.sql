-- CreateEnum
CREATE TYPE "AppointmentStatus" AS ENUM ('BOOKED', 'COMPLETED', 'CANCELED');

-- CreateEnum
CREATE TYPE "AutomationKind" AS ENUM ('BOOKING_CONFIRMATION', 'RESCHEDULE_NOTICE', 'CANCELLATION_NOTICE', 'APPOINTMENT_REMINDER', 'MISSED_CALL_FOLLOW_UP', 'REVIEW_REQUEST');

-- CreateEnum
CREATE TYPE "LateReminder" AS ENUM ('SEND_NOW', 'SKIP');

-- CreateEnum
CREATE TYPE "AutomationRunStatus" AS ENUM ('SCHEDULED', 'SENT', 'SKIPPED', 'FAILED');

-- CreateEnum
CREATE TYPE "AutomationReason" AS ENUM ('AUTOMATION_OFF', 'SETTINGS_CHANGED', 'APPOINTMENT_CANCELED', 'APPOINTMENT_RESCHEDULED', 'APPOINTMENT_COMPLETED', 'APPOINTMENT_PASSED', 'TOO_LATE', 'ALREADY_REACHED', 'CHANNEL_NOT_CONNECTED', 'NO_ADDRESS', 'OPTED_OUT', 'MESSAGING_WINDOW_CLOSED', 'TEMPLATE_NOT_APPROVED', 'MISSING_VALUE', 'CONTENT_REFUSED', 'DELIVERY_FAILED', 'INTERNAL_ERROR');

-- AlterEnum
-- This migration adds more than one value to an enum.
-- With PostgreSQL versions 11 and earlier, this is not possible
-- in a single migration. This can be worked around by creating
-- multiple migrations, each migration adding only one value to
-- the enum.


ALTER TYPE "EventType" ADD VALUE 'APPOINTMENT_CREATED';
ALTER TYPE "EventType" ADD VALUE 'APPOINTMENT_RESCHEDULED';
ALTER TYPE "EventType" ADD VALUE 'APPOINTMENT_CANCELED';
ALTER TYPE "EventType" ADD VALUE 'APPOINTMENT_COMPLETED';
ALTER TYPE "EventType" ADD VALUE 'AUTOMATION_RUN_CHANGED';
ALTER TYPE "EventType" ADD VALUE 'NOTIFICATION_SETTINGS_CHANGED';

-- AlterTable
ALTER TABLE "communication" ADD COLUMN     "automation_run_id" UUID;

-- AlterTable
ALTER TABLE "customer" ADD COLUMN     "language" TEXT,
ADD COLUMN     "timezone" TEXT;

-- AlterTable
ALTER TABLE "organization" ADD COLUMN     "language" TEXT NOT NULL DEFAULT 'en';

-- CreateTable
CREATE TABLE "notification_settings" (
    "organization_id" UUID NOT NULL,
    "business_name" TEXT,
    "review_link" TEXT,
    "quiet_from" INTEGER,
    "quiet_until" INTEGER,

    CONSTRAINT "notification_settings_pkey" PRIMARY KEY ("organization_id")
);

-- CreateTable
CREATE TABLE "automation" (
    "organization_id" UUID NOT NULL,
    "kind" "AutomationKind" NOT NULL,
    "enabled" BOOLEAN NOT NULL,
    "channels" "ChannelType"[],
    "delay_minutes" INTEGER NOT NULL,
    "reminder_minutes" INTEGER[],
    "late_reminder" "LateReminder" NOT NULL,
    "after_completion" BOOLEAN NOT NULL,

    CONSTRAINT "automation_pkey" PRIMARY KEY ("organization_id","kind")
);

-- CreateTable
CREATE TABLE "automation_template" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "kind" "AutomationKind" NOT NULL,
    "channel" "ChannelType" NOT NULL,
    "language" TEXT NOT NULL,
    "subject" TEXT,
    "body" TEXT NOT NULL,
    "html" TEXT,
    "template_id" UUID,
    "variables" JSONB NOT NULL DEFAULT '{}',
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "automation_template_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "appointment" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "external_id" TEXT,
    "external_hash" TEXT,
    "service" TEXT NOT NULL,
    "staff_id" UUID,
    "staff_name" TEXT,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "timezone" TEXT NOT NULL,
    "status" "AppointmentStatus" NOT NULL DEFAULT 'BOOKED',
    "revision" INTEGER NOT NULL DEFAULT 1,
    "status_changed_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "appointment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "automation_run" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "kind" "AutomationKind" NOT NULL,
    "cause" TEXT NOT NULL,
    "step" INTEGER NOT NULL,
    "channel" "ChannelType" NOT NULL,
    "appointment_id" UUID,
    "revision" INTEGER,
    "minutes_before" INTEGER,
    "call_id" UUID,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "held_until" TIMESTAMPTZ(3),
    "status" "AutomationRunStatus" NOT NULL DEFAULT 'SCHEDULED',
    "reason" "AutomationReason",
    "detail" TEXT,
    "fallback_of_id" UUID,
    "actor_id" UUID,
    "settled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "automation_run_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "automation_template_organization_id_kind_channel_language_key" ON "automation_template"("organization_id", "kind", "channel", "language");

-- CreateIndex
CREATE INDEX "appointment_organization_id_starts_at_id_idx" ON "appointment"("organization_id", "starts_at", "id");

-- CreateIndex
CREATE INDEX "appointment_customer_id_starts_at_id_idx" ON "appointment"("customer_id", "starts_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "appointment_organization_id_external_id_key" ON "appointment"("organization_id", "external_id");

-- CreateIndex
CREATE INDEX "automation_run_organization_id_due_at_id_idx" ON "automation_run"("organization_id", "due_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "automation_run_organization_id_status_due_at_id_idx" ON "automation_run"("organization_id", "status", "due_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "automation_run_customer_id_due_at_id_idx" ON "automation_run"("customer_id", "due_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "automation_run_appointment_id_idx" ON "automation_run"("appointment_id");

-- CreateIndex
CREATE INDEX "automation_run_call_id_idx" ON "automation_run"("call_id");

-- CreateIndex
CREATE UNIQUE INDEX "automation_run_organization_id_cause_kind_step_key" ON "automation_run"("organization_id", "cause", "kind", "step");

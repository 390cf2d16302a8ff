-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "Role" AS ENUM ('VIEWER', 'AGENT', 'ADMIN');

-- CreateEnum
CREATE TYPE "Provider" AS ENUM ('TWILIO', 'SANDBOX');

-- CreateEnum
CREATE TYPE "ChannelType" AS ENUM ('WHATSAPP', 'EMAIL', 'SMS', 'RCS', 'MESSENGER', 'INSTAGRAM', 'WEBCHAT');

-- CreateEnum
CREATE TYPE "CommunicationType" AS ENUM ('WHATSAPP', 'EMAIL', 'SMS', 'RCS', 'MESSENGER', 'INSTAGRAM', 'WEBCHAT', 'INTERNAL_NOTE', 'CALL_LOG');

-- CreateEnum
CREATE TYPE "Direction" AS ENUM ('INBOUND', 'OUTBOUND', 'INTERNAL');

-- CreateEnum
CREATE TYPE "DeliveryStatus" AS ENUM ('SCHEDULED', 'PENDING', 'SENT', 'DELIVERED', 'READ', 'FAILED', 'UNKNOWN', 'CANCELED');

-- CreateEnum
CREATE TYPE "ConversationStatus" AS ENUM ('OPEN', 'SNOOZED', 'CLOSED');

-- CreateEnum
CREATE TYPE "ChannelAccountStatus" AS ENUM ('CONNECTED', 'DISCONNECTED');

-- CreateEnum
CREATE TYPE "IdentityKind" AS ENUM ('PHONE', 'WHATSAPP', 'EMAIL', 'MESSENGER', 'INSTAGRAM', 'WEBCHAT');

-- CreateEnum
CREATE TYPE "CallOutcome" AS ENUM ('ANSWERED', 'NO_ANSWER', 'BUSY', 'VOICEMAIL', 'FAILED', 'CANCELED');

-- CreateEnum
CREATE TYPE "TemplatePurpose" AS ENUM ('GENERAL', 'MARKETING', 'UTILITY', 'AUTHENTICATION');

-- CreateEnum
CREATE TYPE "AttachmentStatus" AS ENUM ('PENDING', 'STORED', 'FAILED');

-- CreateEnum
CREATE TYPE "WebhookStatus" AS ENUM ('APPLIED', 'UNPARSED');

-- CreateEnum
CREATE TYPE "EventType" AS ENUM ('COMMUNICATION_RECEIVED', 'COMMUNICATION_CREATED', 'COMMUNICATION_CHANGED', 'DELIVERY_STATUS_CHANGED', 'UNREAD_COUNT_CHANGED', 'CONVERSATION_CHANGED', 'CUSTOMER_CREATED', 'CUSTOMER_CHANGED', 'CUSTOMER_OPTED_OUT', 'CUSTOMER_OPTED_IN', 'TEMPLATE_CHANGED', 'CHANNEL_ACCOUNT_CHANGED', 'API_KEY_CHANGED');

-- CreateTable
CREATE TABLE "organization" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "timezone" TEXT NOT NULL DEFAULT 'UTC',
    "unread_count" INTEGER NOT NULL DEFAULT 0,
    "event_seq" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organization_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "member" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "name" TEXT,
    "email" TEXT,
    "role" "Role" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "member_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_key" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "role" "Role" NOT NULL,
    "hint" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "created_by_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel_account" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "channel" "ChannelType" NOT NULL,
    "provider" "Provider" NOT NULL,
    "name" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "routing_keys" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "status" "ChannelAccountStatus" NOT NULL DEFAULT 'CONNECTED',
    "credentials" BYTEA,
    "credentials_key" TEXT,
    "health" JSONB,
    "health_checked_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "channel_account_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "customer" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "name" TEXT,
    "unread_count" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "customer_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "customer_identity" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "kind" "IdentityKind" NOT NULL,
    "scope" TEXT NOT NULL DEFAULT '',
    "value" TEXT NOT NULL,
    "verified" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "customer_identity_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "conversation" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "channel_account_id" UUID NOT NULL,
    "channel" "ChannelType" NOT NULL,
    "address" TEXT NOT NULL,
    "status" "ConversationStatus" NOT NULL DEFAULT 'OPEN',
    "status_changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "snoozed_until" TIMESTAMPTZ(3),
    "assignee_id" UUID,
    "unread_count" INTEGER NOT NULL DEFAULT 0,
    "inbound_count" INTEGER NOT NULL DEFAULT 0,
    "outbound_count" INTEGER NOT NULL DEFAULT 0,
    "window_expires_at" TIMESTAMPTZ(3),
    "last_communication_id" UUID,
    "last_activity_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "conversation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "communication" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "conversation_id" UUID,
    "channel_account_id" UUID,
    "type" "CommunicationType" NOT NULL,
    "direction" "Direction" NOT NULL,
    "subject" TEXT,
    "body" TEXT NOT NULL,
    "payload" JSONB,
    "is_read" BOOLEAN NOT NULL DEFAULT true,
    "author_id" UUID,
    "template_id" UUID,
    "delivery_status" "DeliveryStatus",
    "failure_code" TEXT,
    "failure_message" TEXT,
    "address" TEXT,
    "external_message_id" TEXT,
    "idempotency_key" TEXT,
    "idempotency_hash" TEXT,
    "send_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "attempt_started_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "delivered_at" TIMESTAMPTZ(3),
    "read_at" TIMESTAMPTZ(3),
    "call_outcome" "CallOutcome",
    "call_started_at" TIMESTAMPTZ(3),
    "call_seconds" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "communication_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "attachment" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "communication_id" UUID NOT NULL,
    "filename" TEXT,
    "content_type" TEXT,
    "size" INTEGER,
    "status" "AttachmentStatus" NOT NULL DEFAULT 'PENDING',
    "failure" TEXT,
    "source_url" TEXT NOT NULL,
    "storage_key" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "attachment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "opt_out" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "channel" "ChannelType" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "opt_out_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "receipt" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "channel_account_id" UUID NOT NULL,
    "communication_id" UUID,
    "external_message_id" TEXT NOT NULL,
    "status" "DeliveryStatus" NOT NULL,
    "error_code" TEXT,
    "error_message" TEXT,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "receipt_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "channel_account_id" UUID NOT NULL,
    "dedupe_key" TEXT,
    "url" TEXT NOT NULL,
    "headers" JSONB NOT NULL,
    "body" BYTEA NOT NULL,
    "status" "WebhookStatus" NOT NULL,
    "problem" TEXT,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "template" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "channel" "ChannelType",
    "language" TEXT NOT NULL DEFAULT 'en',
    "subject" TEXT,
    "body" TEXT NOT NULL,
    "purpose" "TemplatePurpose" NOT NULL DEFAULT 'GENERAL',
    "provider_template_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "template_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event" (
    "organization_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "type" "EventType" NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor_id" UUID,
    "customer_id" UUID,
    "conversation_id" UUID,
    "communication_id" UUID,
    "data" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "event_pkey" PRIMARY KEY ("organization_id","seq")
);

-- CreateIndex
CREATE UNIQUE INDEX "organization_slug_key" ON "organization"("slug");

-- CreateIndex
CREATE UNIQUE INDEX "member_organization_id_subject_key" ON "member"("organization_id", "subject");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_hash_key" ON "api_key"("hash");

-- CreateIndex
CREATE INDEX "api_key_organization_id_id_idx" ON "api_key"("organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "channel_account_organization_id_channel_address_key" ON "channel_account"("organization_id", "channel", "address");

-- CreateIndex
CREATE INDEX "customer_organization_id_id_idx" ON "customer"("organization_id", "id");

-- CreateIndex
CREATE INDEX "customer_identity_customer_id_idx" ON "customer_identity"("customer_id");

-- CreateIndex
CREATE UNIQUE INDEX "customer_identity_organization_id_kind_scope_value_key" ON "customer_identity"("organization_id", "kind", "scope", "value");

-- CreateIndex
CREATE INDEX "conversation_organization_id_last_activity_at_id_idx" ON "conversation"("organization_id", "last_activity_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversation_organization_id_status_last_activity_at_id_idx" ON "conversation"("organization_id", "status", "last_activity_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversation_organization_id_assignee_id_last_activity_at_i_idx" ON "conversation"("organization_id", "assignee_id", "last_activity_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "conversation_customer_id_channel_account_id_key" ON "conversation"("customer_id", "channel_account_id");

-- CreateIndex
CREATE INDEX "communication_organization_id_id_idx" ON "communication"("organization_id", "id" DESC);

-- CreateIndex
CREATE INDEX "communication_organization_id_type_id_idx" ON "communication"("organization_id", "type", "id" DESC);

-- CreateIndex
CREATE INDEX "communication_conversation_id_id_idx" ON "communication"("conversation_id", "id" DESC);

-- CreateIndex
CREATE INDEX "communication_customer_id_id_idx" ON "communication"("customer_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "communication_channel_account_id_external_message_id_key" ON "communication"("channel_account_id", "external_message_id");

-- CreateIndex
CREATE UNIQUE INDEX "communication_organization_id_idempotency_key_key" ON "communication"("organization_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "attachment_communication_id_idx" ON "attachment"("communication_id");

-- CreateIndex
CREATE UNIQUE INDEX "opt_out_customer_id_channel_key" ON "opt_out"("customer_id", "channel");

-- CreateIndex
CREATE INDEX "receipt_channel_account_id_external_message_id_idx" ON "receipt"("channel_account_id", "external_message_id");

-- CreateIndex
CREATE INDEX "receipt_communication_id_idx" ON "receipt"("communication_id");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_channel_account_id_dedupe_key_key" ON "webhook"("channel_account_id", "dedupe_key");

-- CreateIndex
CREATE INDEX "template_organization_id_id_idx" ON "template"("organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "template_organization_id_name_language_key" ON "template"("organization_id", "name", "language");

-- CreateIndex
CREATE INDEX "event_customer_id_seq_idx" ON "event"("customer_id", "seq");

-- AddForeignKey
ALTER TABLE "customer_identity" ADD CONSTRAINT "customer_identity_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "communication" ADD CONSTRAINT "communication_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attachment" ADD CONSTRAINT "attachment_communication_id_fkey" FOREIGN KEY ("communication_id") REFERENCES "communication"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "opt_out" ADD CONSTRAINT "opt_out_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

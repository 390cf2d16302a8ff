-- CreateEnum
CREATE TYPE "WebhookReceiptStatus" AS ENUM ('APPLIED', 'DUPLICATE', 'PARTIAL', 'UNPARSED', 'UNROUTED', 'FAILED');

-- CreateEnum
CREATE TYPE "MessagePurpose" AS ENUM ('TRANSACTIONAL', 'MARKETING');

-- CreateEnum
CREATE TYPE "ConsentState" AS ENUM ('OPTED_IN', 'OPTED_OUT');

-- CreateEnum
CREATE TYPE "ConsentSource" AS ENUM ('KEYWORD', 'PROVIDER', 'UNSUBSCRIBE', 'SPAM_REPORT', 'BOUNCE', 'STAFF', 'MERGE');

-- CreateEnum
CREATE TYPE "WindowReason" AS ENUM ('CUSTOMER_MESSAGE', 'AD_REFERRAL');

-- CreateEnum
CREATE TYPE "TemplateStatus" AS ENUM ('PENDING', 'APPROVED', 'REJECTED', 'PAUSED', 'DISABLED');

-- CreateEnum
CREATE TYPE "MergeSuggestionStatus" AS ENUM ('OPEN', 'MERGED', 'DISMISSED');

-- AlterEnum: an account that was connected has been in use.
ALTER TYPE "ChannelAccountStatus" RENAME VALUE 'CONNECTED' TO 'ACTIVE';
ALTER TYPE "ChannelAccountStatus" ADD VALUE 'PENDING' BEFORE 'ACTIVE';

-- AlterEnum
ALTER TYPE "EventType" ADD VALUE 'CUSTOMERS_MERGED';
ALTER TYPE "EventType" ADD VALUE 'CUSTOMERS_UNMERGED';
ALTER TYPE "EventType" ADD VALUE 'MERGE_SUGGESTED';

-- AlterEnum
ALTER TYPE "IdentityKind" ADD VALUE 'EXTERNAL';

-- AlterEnum
ALTER TYPE "Provider" ADD VALUE 'META';
ALTER TYPE "Provider" ADD VALUE 'SENDGRID';
ALTER TYPE "Provider" ADD VALUE 'PARLEY';

-- DropIndex
DROP INDEX "template_organization_id_name_language_key";

-- AlterTable
ALTER TABLE "attachment" ADD COLUMN     "content_id" TEXT,
ADD COLUMN     "uploaded_by_id" UUID,
ALTER COLUMN "communication_id" DROP NOT NULL,
ALTER COLUMN "source_url" DROP NOT NULL;

-- AlterTable
ALTER TABLE "channel_account" ALTER COLUMN "status" DROP DEFAULT;

-- AlterTable
ALTER TABLE "communication" ADD COLUMN     "carried_by" "ChannelType",
ADD COLUMN     "content" JSONB,
ADD COLUMN     "edited_at" TIMESTAMPTZ(3),
ADD COLUMN     "failure_is_final" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "in_reply_to" TEXT,
ADD COLUMN     "purpose" "MessagePurpose" NOT NULL DEFAULT 'TRANSACTIONAL',
ADD COLUMN     "revoked_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "conversation" ADD COLUMN     "last_inbound_at" TIMESTAMPTZ(3),
ADD COLUMN     "merged_into_id" UUID,
ADD COLUMN     "window_reason" "WindowReason";

-- AlterTable
ALTER TABLE "customer" ADD COLUMN     "merged_into_id" UUID;

-- AlterTable
ALTER TABLE "receipt" ADD COLUMN     "carried_by" "ChannelType",
ADD COLUMN     "is_final" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "template" ADD COLUMN     "channel_account_id" UUID,
ADD COLUMN     "components" JSONB,
ADD COLUMN     "html" TEXT,
ADD COLUMN     "quality" TEXT,
ADD COLUMN     "scope" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "status" "TemplateStatus",
ADD COLUMN     "status_reason" TEXT,
ADD COLUMN     "synced_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "email_message" (
    "communication_id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "channel_account_id" UUID NOT NULL,
    "message_id" TEXT,
    "references" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "from" JSONB NOT NULL,
    "to" JSONB NOT NULL,
    "cc" JSONB NOT NULL DEFAULT '[]',
    "html" TEXT,
    "quoted_text" TEXT,

    CONSTRAINT "email_message_pkey" PRIMARY KEY ("communication_id")
);

-- CreateTable
CREATE TABLE "communication_edit" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "communication_id" UUID NOT NULL,
    "body" TEXT NOT NULL,
    "content" JSONB,
    "replaced_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "communication_edit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "consent_entry" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "channel" "ChannelType" NOT NULL,
    "purpose" "MessagePurpose" NOT NULL,
    "state" "ConsentState" NOT NULL,
    "source" "ConsentSource" NOT NULL,
    "evidence" TEXT,
    "actor_id" UUID,
    "communication_id" UUID,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "consent_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "merge_suggestion" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "other_customer_id" UUID NOT NULL,
    "kind" "IdentityKind" NOT NULL,
    "value" TEXT NOT NULL,
    "status" "MergeSuggestionStatus" NOT NULL DEFAULT 'OPEN',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "merge_suggestion_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "customer_merge" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "survivor_id" UUID NOT NULL,
    "merged_id" UUID NOT NULL,
    "moved" JSONB NOT NULL,
    "actor_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "undone_at" TIMESTAMPTZ(3),
    "undone_by_id" UUID,

    CONSTRAINT "customer_merge_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_receipt" (
    "id" UUID NOT NULL,
    "organization_id" UUID,
    "channel_account_id" UUID,
    "wire" TEXT NOT NULL,
    "segment" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "headers" JSONB NOT NULL,
    "body" BYTEA,
    "storage_key" TEXT,
    "size" INTEGER NOT NULL,
    "status" "WebhookReceiptStatus" NOT NULL,
    "problem" TEXT,
    "replays" INTEGER NOT NULL DEFAULT 0,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "replayed_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_receipt_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "received_message" (
    "channel_account_id" UUID NOT NULL,
    "external_message_id" TEXT NOT NULL,
    "organization_id" UUID NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "received_message_pkey" PRIMARY KEY ("channel_account_id","external_message_id")
);

-- What is there moves along: the ledger of consent begins with the opt-outs, the receipts with the webhooks that were kept.
-- Before there are indexes, which come cheaper to rows that are there.
INSERT INTO "consent_entry" ("id", "organization_id", "customer_id", "channel", "purpose", "state", "source", "evidence", "occurred_at")
SELECT gen_random_uuid(), o."organization_id", o."customer_id", o."channel", p."purpose", 'OPTED_OUT', 'KEYWORD', NULL, o."created_at"
FROM "opt_out" o CROSS JOIN unnest(enum_range(NULL::"MessagePurpose")) AS p("purpose");

INSERT INTO "received_message" ("channel_account_id", "external_message_id", "organization_id", "received_at")
SELECT "channel_account_id", substr("dedupe_key", 9), "organization_id", "received_at" FROM "webhook" WHERE "dedupe_key" LIKE 'message:%';

INSERT INTO "webhook_receipt" ("id", "organization_id", "channel_account_id", "wire", "segment", "url", "headers", "body", "size", "status", "problem", "received_at")
SELECT "id", "organization_id", "channel_account_id", 'twilio', split_part(split_part("url", '?', 1), '/', -1), "url", "headers", "body", length("body"),
  CASE "status" WHEN 'APPLIED' THEN 'APPLIED' ELSE 'UNPARSED' END::"WebhookReceiptStatus", "problem", "received_at"
FROM "webhook";

-- CreateIndex
CREATE INDEX "email_message_channel_account_id_message_id_idx" ON "email_message"("channel_account_id", "message_id");

-- CreateIndex
CREATE INDEX "communication_edit_communication_id_idx" ON "communication_edit"("communication_id");

-- CreateIndex
CREATE INDEX "consent_entry_customer_id_channel_purpose_occurred_at_id_idx" ON "consent_entry"("customer_id", "channel", "purpose", "occurred_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "merge_suggestion_organization_id_status_id_idx" ON "merge_suggestion"("organization_id", "status", "id" DESC);

-- CreateIndex
CREATE INDEX "merge_suggestion_other_customer_id_idx" ON "merge_suggestion"("other_customer_id");

-- CreateIndex
CREATE UNIQUE INDEX "merge_suggestion_customer_id_other_customer_id_key" ON "merge_suggestion"("customer_id", "other_customer_id");

-- CreateIndex
CREATE INDEX "customer_merge_survivor_id_idx" ON "customer_merge"("survivor_id");

-- CreateIndex
CREATE INDEX "customer_merge_merged_id_idx" ON "customer_merge"("merged_id");

-- CreateIndex
CREATE INDEX "webhook_receipt_organization_id_id_idx" ON "webhook_receipt"("organization_id", "id" DESC);

-- CreateIndex
CREATE INDEX "webhook_receipt_received_at_idx" ON "webhook_receipt"("received_at");

-- CreateIndex
CREATE INDEX "received_message_received_at_idx" ON "received_message"("received_at");

-- CreateIndex
CREATE INDEX "channel_account_provider_address_idx" ON "channel_account"("provider", "address");

-- CreateIndex
CREATE INDEX "channel_account_routing_keys_idx" ON "channel_account" USING GIN ("routing_keys");

-- CreateIndex
CREATE INDEX "template_channel_account_id_provider_template_id_idx" ON "template"("channel_account_id", "provider_template_id");

-- CreateIndex
CREATE UNIQUE INDEX "template_organization_id_scope_name_language_key" ON "template"("organization_id", "scope", "name", "language");

-- AddForeignKey
ALTER TABLE "email_message" ADD CONSTRAINT "email_message_communication_id_fkey" FOREIGN KEY ("communication_id") REFERENCES "communication"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "communication_edit" ADD CONSTRAINT "communication_edit_communication_id_fkey" FOREIGN KEY ("communication_id") REFERENCES "communication"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "consent_entry" ADD CONSTRAINT "consent_entry_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- As messages write it from now on: a reason where there is a window. The latest inbound one is looked for from the end of its conversation.
UPDATE "conversation" c SET "window_reason" = CASE WHEN c."window_expires_at" IS NOT NULL THEN 'CUSTOMER_MESSAGE'::"WindowReason" END,
  "last_inbound_at" = (SELECT m."created_at" FROM "communication" m WHERE m."conversation_id" = c."id" AND m."direction" = 'INBOUND' ORDER BY m."id" DESC LIMIT 1)
WHERE c."inbound_count" > 0;

-- DropTable
DROP TABLE "opt_out";

-- DropTable
DROP TABLE "webhook";

-- DropEnum
DROP TYPE "WebhookStatus";

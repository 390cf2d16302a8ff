-- AlterTable
ALTER TABLE "channel_account" ADD COLUMN     "messages_per_second" INTEGER;

-- CreateTable: unlogged, because what it holds is worth nothing a second later.
CREATE UNLOGGED TABLE "channel_pace" (
    "channel_account_id" UUID NOT NULL,
    "busy_until" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "channel_pace_pkey" PRIMARY KEY ("channel_account_id")
);

-- CreateIndex
CREATE INDEX "automation_run_organization_id_status_due_at_id_idx" ON "automation_run"("organization_id", "status", "due_at" DESC, "id" DESC);


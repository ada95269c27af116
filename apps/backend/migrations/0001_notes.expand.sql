-- Notes and their vectors. A vector belongs to the model that made it, so that two versions of the backend with
-- different models can serve side by side during a rollout.

CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE notes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    body text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX notes_newest_first ON notes (created_at DESC, id DESC);

CREATE TABLE note_embeddings (
    note_id uuid NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    model text NOT NULL,
    embedding vector(512) NOT NULL,
    PRIMARY KEY (note_id, model)
);

CREATE INDEX note_embeddings_nearest ON note_embeddings USING hnsw (embedding vector_cosine_ops);

--
-- PostgreSQL database dump
--


-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: audit_entries_continue(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_entries_continue() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
    BEGIN
        IF NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit_entries)
            OR NEW.previous_hash <> coalesce(
                (SELECT entry_hash FROM audit_entries WHERE sequence = NEW.sequence - 1), NEW.previous_hash)
        THEN
            RAISE EXCEPTION 'an audit entry must continue the trail' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;


--
-- Name: audit_entries_refuse(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_entries_refuse() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
    BEGIN
        RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
    END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: audit_entries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_entries (
    sequence bigint NOT NULL,
    time_us bigint NOT NULL,
    actor text NOT NULL,
    action character varying(64) NOT NULL,
    object_kind character varying(64) NOT NULL,
    object_id text NOT NULL,
    payload text NOT NULL,
    previous_hash character varying(64) NOT NULL,
    entry_hash character varying(64) NOT NULL,
    CONSTRAINT ck_audit_entries_counts_from_one CHECK ((sequence > 0))
);


--
-- Name: case_accounts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.case_accounts (
    case_id character varying(32) NOT NULL,
    account_id text NOT NULL,
    joined_at bigint NOT NULL,
    left_at bigint
);


--
-- Name: case_label_accounts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.case_label_accounts (
    label_id integer NOT NULL,
    account_id text NOT NULL
);


--
-- Name: case_labels; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.case_labels (
    label_id integer NOT NULL,
    label character varying(32) NOT NULL,
    whole boolean NOT NULL,
    case_id character varying(32),
    author text NOT NULL,
    reason text NOT NULL,
    since bigint NOT NULL,
    until bigint
);


--
-- Name: case_notes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.case_notes (
    case_id character varying(32) NOT NULL,
    number integer NOT NULL,
    author text NOT NULL,
    written_at bigint NOT NULL,
    text text,
    digest character varying(64) NOT NULL
);


--
-- Name: case_snapshots; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.case_snapshots (
    case_id character varying(32) NOT NULL,
    digest character varying(64) NOT NULL,
    taken_at bigint NOT NULL,
    finding bytea NOT NULL
);


--
-- Name: cases; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.cases (
    case_id character varying(32) NOT NULL,
    number integer NOT NULL,
    campaign_id text NOT NULL,
    version integer NOT NULL,
    status character varying(32) NOT NULL,
    record text NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT ck_cases_version_counts_from_one CHECK ((version > 0))
);


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES ('0001');


--
-- Data for Name: audit_entries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_entries VALUES (1, 1795176001000000, 'person:alice', 'case.opened', 'case', 'case-1', '{"campaign_id":"c-f411c9","figures":{"accounts":4,"accounts_digest":"6b1ba6e945d434cf778aee96be737a854b50a432f0a1df1b0ba4f0f661aca44e","confidence":"moderate","exchanges":91220,"finding_id":"f-f411c9","first_seen":"2026-11-02T00:12:09Z","label":"resale","last_seen":"2026-11-17T22:43:09Z","q_value":0.0093,"severity":"medium"},"snapshot":"ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9"}', '0000000000000000000000000000000000000000000000000000000000000000', 'd57352e391da7ee9a2159636bdfd252206762a186968b1fa82b197d38825b466');
INSERT INTO public.audit_entries VALUES (2, 1795176002000000, 'person:alice', 'case.noted', 'case', 'case-1', '{"digest":"e768971faa5d83639fe89609a2296c399cccb012f7f46b60333d2bae940c240c","number":1}', 'd57352e391da7ee9a2159636bdfd252206762a186968b1fa82b197d38825b466', '5ad7bf9301f027bcc990f263ffac69bd9d88a3149f8f718d3aeaa7ee16a672df');
INSERT INTO public.audit_entries VALUES (3, 1795176002000000, 'person:alice', 'case.noted', 'case', 'case-1', '{"digest":"747118f08aca391b2c85292977c92a17814028e2dfcaf053d081848ce42ed600","number":2}', '5ad7bf9301f027bcc990f263ffac69bd9d88a3149f8f718d3aeaa7ee16a672df', '69cafa47e12cf36b1131cedf2e2c635ac8cecf8593d005029af8a4762fbc13c1');
INSERT INTO public.audit_entries VALUES (4, 1795176002000000, 'person:alice', 'case.note_erased', 'case', 'case-1', '{"number":2,"reason":"it named a person"}', '69cafa47e12cf36b1131cedf2e2c635ac8cecf8593d005029af8a4762fbc13c1', 'f2b7a7a38b80cf549f6842858dbcdd996cc61ba8177d84072f390f9584960d37');
INSERT INTO public.audit_entries VALUES (5, 1795176002000000, 'person:alice', 'case.labeled', 'case', 'case-1', '{"accounts":4,"accounts_digest":"6b1ba6e945d434cf778aee96be737a854b50a432f0a1df1b0ba4f0f661aca44e","evidence":"ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9","label":"resale","label_id":1,"reason":"a relay","whole":true}', 'f2b7a7a38b80cf549f6842858dbcdd996cc61ba8177d84072f390f9584960d37', 'ef0d4ff336001c42c7a61d81bf3b9ce82f82a941cee0b95403d2a1584f644c47');
INSERT INTO public.audit_entries VALUES (6, 1795176002000000, 'person:alice', 'case.labeled', 'case', 'case-1', '{"accounts":1,"accounts_digest":"e22305694efe5867e483b507895275c0be25d89d5ad8c4f0e29e024b72d6f4f3","evidence":"ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9","label":"benign","label_id":2,"reason":"a bystander","whole":false}', 'ef0d4ff336001c42c7a61d81bf3b9ce82f82a941cee0b95403d2a1584f644c47', '64146d1f7a42c2987dad86067f512cadafc49fa35b5d3f69177ea5955ad99d51');
INSERT INTO public.audit_entries VALUES (7, 1795176002000000, 'person:alice', 'case.decision_linked', 'case', 'case-1', '{"decision_id":"decision-1","evidence":"ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9"}', '64146d1f7a42c2987dad86067f512cadafc49fa35b5d3f69177ea5955ad99d51', '5922ae85cc7b792fa488e8c35c44bdead457fc037eb4785ebc834588dbff6d6b');
INSERT INTO public.audit_entries VALUES (8, 1795176002000000, 'person:alice', 'case.triaged', 'case', 'case-1', '{"evidence":"ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9","false_positive_reason":null,"triage":"true_positive"}', '5922ae85cc7b792fa488e8c35c44bdead457fc037eb4785ebc834588dbff6d6b', 'e9fa578adb731873b37cec4aff2844d02076cf8737ce0fca65c0ea241166659a');
INSERT INTO public.audit_entries VALUES (9, 1795176002000000, 'person:alice', 'case.closed', 'case', 'case-1', '{"evidence":"ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9","reason":"handed over"}', 'e9fa578adb731873b37cec4aff2844d02076cf8737ce0fca65c0ea241166659a', '84a6d7e6d7548d63c857fdf52ee8dd7ee0c3bf1e33e18bea22f10f737709a8eb');


--
-- Data for Name: case_accounts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.case_accounts VALUES ('case-1', 'acct-1f557d', 1795176001000000, NULL);
INSERT INTO public.case_accounts VALUES ('case-1', 'acct-0389a2', 1795176001000000, NULL);
INSERT INTO public.case_accounts VALUES ('case-1', 'acct-1ae2d4', 1795176001000000, NULL);
INSERT INTO public.case_accounts VALUES ('case-1', 'acct-09fc0f', 1795176001000000, NULL);


--
-- Data for Name: case_label_accounts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.case_label_accounts VALUES (1, 'acct-0389a2');
INSERT INTO public.case_label_accounts VALUES (1, 'acct-09fc0f');
INSERT INTO public.case_label_accounts VALUES (1, 'acct-1ae2d4');
INSERT INTO public.case_label_accounts VALUES (1, 'acct-1f557d');
INSERT INTO public.case_label_accounts VALUES (2, 'acct-0389a2');


--
-- Data for Name: case_labels; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.case_labels VALUES (1, 'resale', true, 'case-1', 'person:alice', 'a relay', 1795176002000000, NULL);
INSERT INTO public.case_labels VALUES (2, 'benign', false, 'case-1', 'person:alice', 'a bystander', 1795176002000000, NULL);


--
-- Data for Name: case_notes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.case_notes VALUES ('case-1', 1, 'person:alice', 1795176002000000, 'a note that stays', 'e768971faa5d83639fe89609a2296c399cccb012f7f46b60333d2bae940c240c');
INSERT INTO public.case_notes VALUES ('case-1', 2, 'person:alice', 1795176002000000, NULL, '747118f08aca391b2c85292977c92a17814028e2dfcaf053d081848ce42ed600');


--
-- Data for Name: case_snapshots; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.case_snapshots VALUES ('case-1', 'ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9', 1795176001000000, '\x789cad56cb8edb3810fc1542c0622fb6a1973db6e7947bb287dd9c761018b4d4b2b8a64885a4c6e304f9f7ada62c3f90414e0106188ba2d8d555ddd5fc9ec8aab283093ed9bef0ef304f8bf546e6c9ecf2b469aab4999e3249795d5e9f9ae5f2a94ebef06350d624dbe4959c6acee2d45a115a12b62727837542f967515b616c107b6dabe35674d607d193ed35893db5cad44205211d3e72b532d29d454dafa4f908cf11839611e4874f1f179fd3345d2fd27419830fa1b54e7d93230633683d4b2ad9f5521dcc4ed58055cd9b32cbaa0dcea9ac69544da622ac77b6668034ae0767b5dfd5d410966a8ef5995ce7856d04f225efb7c21a127ed8fbcaa99ec3094fee95bc907b3b04b14c2f192d18574d812a1cb49301a1f2345fcdb36c9eae007e1bfffe45587a9dc0bc7c07068076f8e2a4428b6f96b3629389492181101ebbc1acf2a2d2830fe470c411dc61b356e68827233bce0ce9400b1f39d9b5d2d4f6356e3692a5ce8ac57296f4bb57a9079a28f364c2859732cbc5fd095e9cf012d98bc180312121648bff6006ff3ddd30327265449982199c508fec09265968d5a9b0487ecc7e6fa65a01db2e0ce0fd9ae06a91ff2abf0f5a8b627d8b875775d4b671f61b19d192e4343d0594b2d20c849413bc6b80e2fe4f112c6a45d4aa69c8fdf694e8eb20f54e5b595f132a16c5af12fa48d287b9a30a4bfa3c07c89afb0839d05bafa562055b55b5139ea96eb9490dbd05e11093d091d06e9d893f58b54a7af2efe716eb63cc210a7c6dd9ab9b5c33f36842a9ef7233f58e39dced1d48c6695386cbc5fa2ec314dd9d3f6a165b2c9b6dd214bcfba04c156e8a08dfda13a3d7d21c0679a09968ed807594bea05ac18466637fba09e433defd845cb4d28b0cf28ae2f7a7ae55a5c2685353d6f9a27cccba7c483a7b1ab5a0b70a4d7c203fe312ed4421027510165dd5c84ea105f086cd3332a3750c32f7adeca97e8e2abba8aebfe24576f0a8ebb9c97693e579ca2bf160e7a323dda643513eec2e97ab0cbb27149c5d93a6f52a6b8ab2da27fce68d6dcf5183e1800910ebbe194c35da26cf0719d8f28d15dae250374e86b126e1fcd0425bdb8b970a26fd256a714393af1ed0e4f93a5d3ea049e5aa782a0b99ae97d50dcddf4c189f1f4e16eafb138bb8c790398db446e1b33416cd7fd098671949b48daf2cc8e51218c91cf64e55e2858ffd722132b8690a7e4f5a756859cd1ca4699e62fcb0014244e29f1997760bbde2c3d38f59d2a06494398ce3aab98dab46391f769ec8dccf909c6748966fd30dcf9083937dcb61a98e6cbc008f0169979fc106b8c9e55d3a3d5f36a488ad8cb16c1c51f1dbfc8809c1475039a47574abbbcafc0b04de0fde585b069bc1542d9aa8f8fd6440b7894e798f24a74df8822f04b7f529e802a1307b6a55b168bdc5db3dcc9d4be00a0f5d69ced3cd81adbb77f6edfc88f18398f6b13bf8b8ed64dd9163d5f2fc0c9f87aa1954571d896f78ed6313c9933c129b49189c7904a3710dd86975247d8eba2bd30f183ef6482696e526ddc0a0c0b2967b961d0de0651c4cb8befc2464f6f439cfb765711192af23dab3927b949bd4f30293ac582f5145978532d93ee59bf5f5b95346216c9aaed6101206798f66b95c9565ce601e6d359b255fef173605b3c657b770e64b11ec72e892dbda0ea1bc35f1f6f54f856cb66293cde016375b62923ebd7ba3430f1f0513f6debd6e76994a47a29ea7f0184fc0184610f11ee507070fa1c88bec5564e009fd2ffb1e3799755e96489d15c410a54bc9aba0b900ee677c8f898d6abeab18475a9e67f022880f8f55d854531707c6ad9b7ffc0f7eddb914');


--
-- Data for Name: cases; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.cases VALUES ('case-1', 1, 'c-f411c9', 9, 'closed', '{"assignee":null,"campaign_id":"c-f411c9","case_id":"case-1","closing":{"at":"2026-11-20T12:00:02Z","author":"person:alice","figures":{"accounts":4,"accounts_digest":"6b1ba6e945d434cf778aee96be737a854b50a432f0a1df1b0ba4f0f661aca44e","confidence":"moderate","exchanges":91220,"finding_id":"f-f411c9","first_seen":"2026-11-02T00:12:09Z","label":"resale","last_seen":"2026-11-17T22:43:09Z","q_value":0.0093,"severity":"medium"},"reason":"handed over"},"decisions":["decision-1"],"false_positive_reason":null,"figures":{"accounts":4,"accounts_digest":"6b1ba6e945d434cf778aee96be737a854b50a432f0a1df1b0ba4f0f661aca44e","confidence":"moderate","exchanges":91220,"finding_id":"f-f411c9","first_seen":"2026-11-02T00:12:09Z","label":"resale","last_seen":"2026-11-17T22:43:09Z","q_value":0.0093,"severity":"medium"},"labels":[{"accounts":4,"author":"person:alice","label":"resale","label_id":1,"reason":"a relay","since":"2026-11-20T12:00:02Z","whole":true},{"accounts":1,"author":"person:alice","label":"benign","label_id":2,"reason":"a bystander","since":"2026-11-20T12:00:02Z","whole":false}],"notes":2,"opened_at":"2026-11-20T12:00:01Z","snapshot":{"digest":"ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9","figures":{"accounts":4,"accounts_digest":"6b1ba6e945d434cf778aee96be737a854b50a432f0a1df1b0ba4f0f661aca44e","confidence":"moderate","exchanges":91220,"finding_id":"f-f411c9","first_seen":"2026-11-02T00:12:09Z","label":"resale","last_seen":"2026-11-17T22:43:09Z","q_value":0.0093,"severity":"medium"},"taken_at":"2026-11-20T12:00:01Z"},"snooze":null,"status":"closed","triage":"true_positive","triaged_at":"2026-11-20T12:00:02Z","triaged_on":"ac4dd0d84174af8395bc6b4997ac44104013313ebad16b05f897bd68957923f9","updated_at":"2026-11-20T12:00:02Z","version":9}', 1795176002000000);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: audit_entries pk_audit_entries; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT pk_audit_entries PRIMARY KEY (sequence);


--
-- Name: case_accounts pk_case_accounts; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_accounts
    ADD CONSTRAINT pk_case_accounts PRIMARY KEY (case_id, account_id);


--
-- Name: case_label_accounts pk_case_label_accounts; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_label_accounts
    ADD CONSTRAINT pk_case_label_accounts PRIMARY KEY (label_id, account_id);


--
-- Name: case_labels pk_case_labels; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_labels
    ADD CONSTRAINT pk_case_labels PRIMARY KEY (label_id);


--
-- Name: case_notes pk_case_notes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_notes
    ADD CONSTRAINT pk_case_notes PRIMARY KEY (case_id, number);


--
-- Name: case_snapshots pk_case_snapshots; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_snapshots
    ADD CONSTRAINT pk_case_snapshots PRIMARY KEY (case_id, digest);


--
-- Name: cases pk_cases; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT pk_cases PRIMARY KEY (case_id);


--
-- Name: cases uq_cases_campaign_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT uq_cases_campaign_id UNIQUE (campaign_id);


--
-- Name: cases uq_cases_number; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT uq_cases_number UNIQUE (number);


--
-- Name: ix_audit_entries_object_kind_object_id_sequence; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audit_entries_object_kind_object_id_sequence ON public.audit_entries USING btree (object_kind, object_id, sequence);


--
-- Name: ix_case_accounts_account_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_case_accounts_account_id ON public.case_accounts USING btree (account_id);


--
-- Name: ix_case_label_accounts_account_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_case_label_accounts_account_id ON public.case_label_accounts USING btree (account_id);


--
-- Name: ix_case_labels_case_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_case_labels_case_id ON public.case_labels USING btree (case_id);


--
-- Name: ix_cases_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_cases_status ON public.cases USING btree (status);


--
-- Name: audit_entries audit_entries_continue; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_entries_continue BEFORE INSERT ON public.audit_entries FOR EACH ROW EXECUTE FUNCTION public.audit_entries_continue();

ALTER TABLE public.audit_entries ENABLE ALWAYS TRIGGER audit_entries_continue;


--
-- Name: audit_entries audit_entries_refuse; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_entries_refuse BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_entries FOR EACH STATEMENT EXECUTE FUNCTION public.audit_entries_refuse();

ALTER TABLE public.audit_entries ENABLE ALWAYS TRIGGER audit_entries_refuse;


--
-- Name: case_accounts fk_case_accounts_case_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_accounts
    ADD CONSTRAINT fk_case_accounts_case_id FOREIGN KEY (case_id) REFERENCES public.cases(case_id);


--
-- Name: case_label_accounts fk_case_label_accounts_label_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_label_accounts
    ADD CONSTRAINT fk_case_label_accounts_label_id FOREIGN KEY (label_id) REFERENCES public.case_labels(label_id);


--
-- Name: case_labels fk_case_labels_case_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_labels
    ADD CONSTRAINT fk_case_labels_case_id FOREIGN KEY (case_id) REFERENCES public.cases(case_id);


--
-- Name: case_notes fk_case_notes_case_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_notes
    ADD CONSTRAINT fk_case_notes_case_id FOREIGN KEY (case_id) REFERENCES public.cases(case_id);


--
-- Name: case_snapshots fk_case_snapshots_case_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.case_snapshots
    ADD CONSTRAINT fk_case_snapshots_case_id FOREIGN KEY (case_id) REFERENCES public.cases(case_id);


--
-- PostgreSQL database dump complete
--



"""What shipped rules refer to was looked up, once for each address, and is what the rule says it is."""

import pytest

from stillwatch.detect.fingerprints.elicitation import Rule, load_rules

ARXIV = {
    "1503.02531": "Distilling the Knowledge in a Neural Network",
    "2110.14168": "Training Verifiers to Solve Math Word Problems (GSM8K)",
    "2203.14465": "STaR: Bootstrapping Reasoning With Reasoning",
    "2205.11916": "Large Language Models are Zero-Shot Reasoners",
    "2210.03629": "ReAct: Synergizing Reasoning and Acting in Language Models",
    "2212.08073": "Constitutional AI: Harmlessness from AI Feedback",
    "2212.10560": "Self-Instruct",
    "2302.04761": "Toolformer",
    "2303.11366": "Reflexion: Language Agents with Verbal Reinforcement Learning",
    "2303.17760": "CAMEL: Communicative Agents for Mind Exploration of Large Language Model Society",
    "2304.06767": "RAFT: Reward rAnked FineTuning for Generative Foundation Model Alignment",
    "2304.12244": "WizardLM (Evol-Instruct)",
    "2305.02301": "Distilling Step-by-Step",
    "2305.14233": "Enhancing Chat Language Models by Scaling High-quality Instructional Conversations (UltraChat)",
    "2305.15011": "Bactrian-X",
    "2305.15334": "Gorilla: Large Language Model Connected with Massive APIs",
    "2305.18290": "Direct Preference Optimization",
    "2306.02707": "Orca: Progressive Learning from Complex Explanation Traces of GPT-4",
    "2306.05685": "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
    "2306.08568": "WizardCoder: Empowering Code Large Language Models with Evol-Instruct",
    "2307.12950": "RLCD: Reinforcement Learning from Contrastive Distillation",
    "2307.16789": "ToolLLM: Facilitating Large Language Models to Master 16000+ Real-world APIs",
    "2308.01825": "Scaling Relationship on Learning Mathematical Reasoning with Large Language Models",
    "2308.06259": "Self-Alignment with Instruction Backtranslation",
    "2309.00267": "RLAIF vs. RLHF: Scaling Reinforcement Learning from Human Feedback with AI Feedback",
    "2310.01377": "UltraFeedback: Boosting Language Models with Scaled AI Feedback",
    "2310.05470": "Generative Judge for Evaluating Alignment (Auto-J)",
    "2310.05915": "FireAct: Toward Language Agent Fine-tuning",
    "2310.08491": "Prometheus: Inducing Fine-grained Evaluation Capability in Language Models",
    "2312.02120": "Magicoder: Empowering Code Generation with OSS-Instruct",
    "2405.15793": "SWE-agent: Agent-Computer Interfaces Enable Automated Software Engineering",
    "2406.08464": "Magpie: Alignment Data Synthesis from Scratch by Prompting Aligned LLMs with Nothing",
    "2406.20094": "Scaling Synthetic Data Creation with 1,000,000,000 Personas",
    "2501.12948": "DeepSeek-R1",
    "2501.19393": "s1: Simple test-time scaling",
}
OTHERS = {
    "https://atlas.mitre.org/techniques/AML.T0024.002": "MITRE ATLAS, Extract AI Model",
    "https://cloud.google.com/blog/topics/threat-intelligence/"
    "distillation-experimentation-integration-ai-adversarial-use": "GTIG AI Threat Tracker, 12 February 2026",
    "https://crfm.stanford.edu/2023/03/13/alpaca.html": "Alpaca",
    "https://github.com/open-thoughts/open-thoughts": "OpenThoughts",
    "https://novasky-ai.github.io/posts/sky-t1/": "Sky-T1",
    "https://www.anthropic.com/news/detecting-and-preventing-distillation-attacks": "Anthropic, 23 February 2026",
}
REVIEWED = {f"https://arxiv.org/abs/{number}" for number in ARXIV} | set(OTHERS)
RULES = load_rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_every_reference_of_a_shipped_rule_was_looked_up(rule: Rule) -> None:
    assert set(rule.references) <= REVIEWED


def test_no_reference_was_looked_up_for_nothing() -> None:
    assert {one for rule in RULES for one in rule.references} == REVIEWED

use super::*;

#[test]
fn every_preset_is_a_policy_and_survives_the_database() {
    assert_eq!(all_presets().len(), PRESETS.len());
    for policy in all_presets() {
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    }
}

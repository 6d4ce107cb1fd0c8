//! The clauses of `#[micro::service]`: interfaces as traits, served and called on any three backends.

use crate::clause::suite;

mod bad_input;
mod calling;
mod generated;
mod interface;
mod meeting;
mod prost;
mod proto_json;
mod streams;
mod telling;

/// Where a clause gets processes, each with its own instance of a transport, a broker and a registry.
pub type TypedWorld = crate::service::ServiceWorld;

suite! {
    $
    /// Makes a module of that name, with a test for each clause of [`typed`](crate::typed), in the world that
    /// the expression opens. The expression is evaluated for each, and may await.
    typed_suite in typed {
        calling: {
            a_trait_is_called_in_all_four_kinds,
            services_share_a_process,
            a_client_calls_another_name_and_version,
            a_default_timeout_gives_way,
            a_client_passes_a_call_on,
            what_a_handler_spawns_may_hold_the_context,
        }
        telling: {
            the_registry_says_what_the_author_said,
            an_endpoint_that_is_served_twice_is_an_error_at_the_start,
        }
        bad_input: {
            a_body_that_does_not_decode_names_its_field,
            an_unknown_field_is_accepted,
            a_missing_field_is_told,
            a_number_out_of_range_is_told,
            an_unknown_enum_value_is_told,
            an_answer_that_cannot_be_encoded_is_internal,
        }
        prost: {
            protobuf_is_read_as_protobuf_is,
            a_protobuf_body_that_does_not_decode_names_its_field,
            an_endpoint_may_speak_two_codecs,
        }
        generated: {
            a_proto_is_called_in_all_four_kinds,
            the_registry_says_what_the_proto_said,
            a_proto_keeps_its_names_on_the_wire,
        }
        proto_json: {
            a_proto_is_called_in_json_by_its_mapping,
            a_proto_is_read_leniently_in_json,
            json_that_is_no_such_message_names_its_field,
            a_proto_is_streamed_in_json,
        }
        meeting: {
            a_proto_and_a_trait_meet,
        }
        streams: {
            a_stream_that_breaks_off_ends_with_its_reason,
            a_stream_that_ends_before_its_request_is_told,
            a_message_that_does_not_decode_ends_its_stream,
            a_handler_that_never_reads_its_stream_answers,
        }
    }
}

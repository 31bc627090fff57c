//! The REST door: route, weight, guard, answer, headers.

use crate::sim::venue::{HttpReply, HttpRequest, VenueCore};
use crate::units::UnixNanos;

use super::error::ApiError;
use super::params::Params;
use super::route::{self, Action, Guard};
use super::serve::{self, Answer};
use super::{limits, sign};

/// Answers a request.
pub(crate) fn http(core: &mut VenueCore, request: &HttpRequest, now: UnixNanos) -> HttpReply {
    let params = Params::from_http(&request.query, &request.body);
    let Some(route) = route::rest(core.dialect(), request.method, &request.path, &params) else {
        let error = ApiError {
            status: 404,
            ..ApiError::new(-1000, "Unknown path.")
        };
        return reply(&error, Vec::new());
    };
    let mut account = None;
    let result = limits::admit(core, route.weight, now).and_then(|()| {
        account = guard(core, route.guard, request, &params, now)?;
        serve::perform(core, route.action, &params, account, now)
    });
    if result.is_ok() && matches!(route.action, Action::Place | Action::Cancel) {
        core.rates.return_weight(now, route.weight);
    }
    let headers = limits::headers(core, account, route.action == Action::Place, now);
    match result {
        Ok(Answer::Body(body)) => HttpReply {
            status: 200,
            headers,
            body,
        },
        Ok(Answer::Lost) => {
            let message = "Timeout waiting for response from backend server. Send status unknown; execution status unknown.";
            reply(&ApiError::new(-1007, message), headers)
        }
        Err(error) => reply(&error, headers),
    }
}

fn reply(error: &ApiError, mut headers: Vec<(String, String)>) -> HttpReply {
    if let Some(seconds) = error.retry_after {
        headers.push(("Retry-After".to_owned(), seconds.to_string()));
    }
    HttpReply {
        status: error.status,
        headers,
        body: error.body(),
    }
}

fn guard(
    core: &VenueCore,
    guard: Guard,
    request: &HttpRequest,
    params: &Params,
    now: UnixNanos,
) -> Result<Option<usize>, ApiError> {
    if guard == Guard::Nothing {
        return Ok(None);
    }
    let account = sign::by_key(core, request.api_key.as_deref())?;
    if guard == Guard::Signed {
        if params.get("signature").is_none() {
            return Err(ApiError::missing("signature"));
        }
        sign::check_time(params, now)?;
        if let Some(setup) = core.setup().accounts.get(account) {
            sign::check_signature(setup, params, false)?;
        }
    }
    Ok(Some(account))
}

/// Symbol of a depth request.
pub(crate) fn depth_symbol(core: &VenueCore, request: &HttpRequest) -> Option<usize> {
    let params = Params::from_http(&request.query, &request.body);
    let route = route::rest(core.dialect(), request.method, &request.path, &params)?;
    let native = params
        .get("symbol")
        .filter(|_| route.action == Action::Depth)?;
    core.symbol_index(native)
}

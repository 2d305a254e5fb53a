//! The messages of the protocol `seatwise.v1`, as they go over the wire.

pub use seatwise_proto::v1::{
    Assignment, Batch, BatchFrame, BatchOptions, BatchProgress, BatchResult, BatchStarted,
    BatchSummary, CatalogueChange, Change, CreateCustomerRequest, CreateUserRequest, Customer,
    DeleteUserRequest, DeleteUserResponse, ErrorReason, ExecuteBatchRequest, GetBatchRequest,
    GetCustomerRequest, GetLicenseRequest, GetProductRequest, GetUserRequest, HeldProduct,
    ImportNote, ImportOutcome, ImportSummary, ImportedUser, LaterPlans, License,
    ListAssignmentsRequest, ListAssignmentsResponse, ListBatchResultsRequest,
    ListBatchResultsResponse, ListBatchesRequest, ListBatchesResponse, ListCustomersRequest,
    ListCustomersResponse, ListLicensesRequest, ListLicensesResponse, ListProductsRequest,
    ListProductsResponse, ListRulesRequest, ListRulesResponse, ListUsersRequest, ListUsersResponse,
    PlanChoice, PlanDelta, PlanEdit, PlanRef, PlanSet, Product, ProductAssignment, ProductPlan,
    ProductRef, ProductReplacement, Reason, ReasonCode, ReasonCount, ReasonTexts, RevokeOthers,
    Rule, SeatChange, SeatCount, Selection, SelectionPart, SetSeatsRequest, UpdateCustomerRequest,
    UpdateProductRequest, UpdateUserRequest, User, UserChange, UserFilter, UserList, UserOrder,
    batch, batch_frame, batch_options, batch_result, catalogue_change, import_outcome, plan_choice,
    plan_edit, product, rule, selection_part, user,
};

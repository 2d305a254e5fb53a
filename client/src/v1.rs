//! The messages of the protocol `seatwise.v1`, as they go over the wire.

pub use seatwise_proto::v1::{
    Assignment, Batch, BatchFrame, BatchOptions, BatchProgress, BatchResult, BatchStarted,
    BatchSummary, CatalogueChange, Change, Coverage, CreateCustomerRequest, CreateSelectionRequest,
    CreateSelectionResponse, CreateUserRequest, Customer, DeleteSelectionRequest,
    DeleteSelectionResponse, DeleteUserRequest, DeleteUserResponse, ErrorReason,
    ExecuteBatchRequest, FrozenSelection, GainedPlans, GetBatchRequest, GetCustomerRequest,
    GetLicenseRequest, GetProductRequest, GetSelectionRequest, GetUserRequest, HeldProduct,
    ImportNote, ImportOutcome, ImportSummary, ImportedUser, LaterPlans, License, LicenseSummary,
    ListAssignmentsRequest, ListAssignmentsResponse, ListBatchResultsRequest,
    ListBatchResultsResponse, ListBatchesRequest, ListBatchesResponse, ListCustomersRequest,
    ListCustomersResponse, ListGainedPlansRequest, ListGainedPlansResponse, ListHoldersRequest,
    ListHoldersResponse, ListLicensesRequest, ListLicensesResponse, ListProductsRequest,
    ListProductsResponse, ListRulesRequest, ListRulesResponse, ListSelectionUsersRequest,
    ListSelectionUsersResponse, ListUsersRequest, ListUsersResponse, PlanChoice, PlanDelta,
    PlanEdit, PlanRef, PlanSet, PlanSummary, Product, ProductAssignment, ProductPlan, ProductRef,
    ProductReplacement, Reason, ReasonCode, ReasonCount, ReasonTexts, RevokeOthers, Rule,
    SeatChange, SeatCount, Selection, SelectionPart, SetLaterPlansRequest, SetSeatsRequest,
    SummarizeAssignmentsRequest, SummarizeAssignmentsResponse, UpdateCustomerRequest,
    UpdateProductRequest, UpdateUserRequest, User, UserChange, UserFilter, UserList, UserOrder,
    batch, batch_frame, batch_options, batch_result, catalogue_change, import_outcome, plan_choice,
    plan_edit, product, rule, selection_part, user,
};

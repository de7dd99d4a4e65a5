"""The addresses of the studio."""

from django.urls import path

from generations.views import demo, engines, gallery, home, pictures, playground, runs, subjects, webhooks

urlpatterns = [
    path("", home.models, name="models"),
    path("playground/<str:slug>", playground.index, name="playground"),
    path("playground/<str:slug>/quote", playground.quote, name="quote"),
    path("playground/<str:slug>/snippet", playground.snippet, name="snippet"),
    path("masks/subject", subjects.mask, name="mask-subject"),
    path("runs/<uuid:run_id>", runs.index, name="run"),
    path("runs/<uuid:run_id>/progress", runs.progress, name="run-progress"),
    path("runs/<uuid:run_id>/cancel", runs.cancel, name="run-cancel"),
    path("runs/<uuid:run_id>/fidelity/<int:number>", runs.fidelity, name="run-fidelity"),
    path("runs/<uuid:run_id>/download/<int:number>", runs.download, name="run-download"),
    path("gallery", gallery.index, name="gallery"),
    path("gallery/<uuid:output_id>", gallery.image, name="image"),
    path("pictures/outputs/<uuid:output_id>/<str:variant>", pictures.output, name="output-picture"),
    path("pictures/assets/<uuid:asset_id>", pictures.asset, name="asset-picture"),
    path("engines", engines.index, name="engines"),
    path("engines/<str:alias>/drain", engines.drain, name="engine-drain"),
    path("engines/<str:alias>/resume", engines.resume, name="engine-resume"),
    path("engines/<str:alias>/balance", engines.balance, name="engine-balance"),
    path("webhooks", webhooks.index, name="webhooks"),
    path("webhooks/secret", webhooks.secret, name="webhook-secret"),
    path("webhooks/secret/rotate", webhooks.rotate, name="webhook-rotate"),
    path("webhooks/deliveries/<uuid:key>", webhooks.delivery, name="webhook-delivery"),
    path("webhooks/deliveries/<uuid:key>/replay", webhooks.replay, name="webhook-replay"),
    path("webhooks/<uuid:webhook_id>", webhooks.change, name="webhook-change"),
    path("webhooks/<uuid:webhook_id>/delete", webhooks.delete, name="webhook-delete"),
    path("webhooks/<uuid:webhook_id>/test", webhooks.test, name="webhook-test"),
    path("try/perfume", demo.perfume, name="try-demo"),
]
